import stat

import pytest

from inferagent.config.secrets import API_TOKEN, Secret, SecretError, read_secret, secret_path, write_secret


def test_a_secret_shows_itself_to_nobody():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert secret != Secret("other")


def test_what_is_kept_is_read_back_and_lies_closed(tmp_path):
    path = write_secret(API_TOKEN, tmp_path, Secret("hunter2"))
    assert read_secret(API_TOKEN, tmp_path, {}) == Secret("hunter2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_writing_again_replaces_it(tmp_path):
    write_secret(API_TOKEN, tmp_path, Secret("old"))
    write_secret(API_TOKEN, tmp_path, Secret("new"))
    assert read_secret(API_TOKEN, tmp_path, {}) == Secret("new")


def test_what_systemd_hands_over_comes_first(tmp_path):
    write_secret(API_TOKEN, tmp_path, Secret("own"))
    handed = tmp_path / "handed"
    handed.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(handed)}
    assert read_secret(API_TOKEN, tmp_path, environ) == Secret("own")
    (handed / API_TOKEN).write_text("handed\n")
    assert secret_path(API_TOKEN, tmp_path, environ) == handed / API_TOKEN
    assert read_secret(API_TOKEN, tmp_path, environ) == Secret("handed")


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_one_handed_over_is_none_of_this_host(tmp_path, content):
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / API_TOKEN).write_text(content)
    assert read_secret(API_TOKEN, tmp_path, {"CREDENTIALS_DIRECTORY": str(handed)}) is None


def test_no_secret_is_none(tmp_path):
    assert read_secret(API_TOKEN, tmp_path, {}) is None


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_secret_that_lies_open_is_refused_with_the_cure(tmp_path, which):
    path = write_secret(API_TOKEN, tmp_path, Secret("hunter2"))
    place = path if which == "file" else path.parent
    place.chmod(0o755)
    with pytest.raises(SecretError, match="lets others of this host read it") as caught:
        read_secret(API_TOKEN, tmp_path, {})
    assert caught.value.cure == f"sudo chmod {'600' if which == 'file' else '700'} {place}"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two words", b"\xff\xfe", b"\xef\xbb\xbfwords", b"words\x01", b"x" * 70_000]
)
def test_a_file_that_holds_no_secret_is_refused_unrepeated(tmp_path, content):
    path = write_secret(API_TOKEN, tmp_path, Secret("x"))
    path.write_bytes(content)
    with pytest.raises(SecretError, match="cannot use") as caught:
        read_secret(API_TOKEN, tmp_path, {})
    assert "words" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_cure(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretError, match="cannot write") as caught:
        write_secret(API_TOKEN, tmp_path / "file", Secret("x"))
    assert caught.value.cure.startswith("sudo ls")
