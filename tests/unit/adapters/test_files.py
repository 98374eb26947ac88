import json

import pytest

from inferagent.adapters.files import is_as_written, sync_folder, why, with_sum, write_whole


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_nothing_is_left_beside(tmp_path, durable):
    path = tmp_path / "a"
    write_whole(path, b"one", durable=durable)
    with path.open("rb") as old:
        write_whole(path, b"two", durable=durable)
        assert old.read() == b"one"  # who has it open reads the old one to its end
    assert path.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_it_is_nobody_elses_to_read(tmp_path):
    write_whole(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a") as caught:
        write_whole(tmp_path / "a", b"x")
    assert why(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_can_be_synced_and_a_missing_one_is_an_error(tmp_path):
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")


def test_why_is_never_empty():
    assert why(OSError("words")) == "words"
    assert why(OSError(28, "No space left on device")) == "No space left on device"


def test_a_sum_tells_every_change_of_a_byte():
    content = with_sum(b'{\n "a": 1,\n "b": [\n  2\n ]\n}')
    assert json.loads(content) == {"a": 1, "b": [2], "sum": json.loads(content)["sum"]}
    assert is_as_written(content)
    for place in range(len(content)):
        assert not is_as_written(content[:place])
        assert not is_as_written(content[:place] + b"#" + content[place + 1 :])
    assert not is_as_written(b'{\n "a": 1\n}')
