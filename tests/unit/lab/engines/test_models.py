"""The folder of models."""

import pytest

from inferagent.lab.engines.models import Models, full


def test_a_name_without_a_tag_is_latest(tmp_path):
    models = Models(tmp_path)
    models.make_up("chat")
    assert full("chat") == "chat:latest"
    assert models.get("chat") == models.get("chat:latest")
    assert models.get("chat:8b") is None


def test_a_copy_shares_the_digest_and_a_deletion_leaves_it(tmp_path):
    models = Models(tmp_path)
    models.make_up("llama3:8b")
    models.put("chat", models.get("llama3:8b").digest)
    assert [model.name for model in models.all()] == ["chat:latest", "llama3:8b"]
    assert len({model.digest for model in models.all()}) == 1
    models.delete("llama3:8b")
    assert [model.name for model in models.all()] == ["chat:latest"]


def test_a_model_is_listed_whatever_has_become_of_its_blob(tmp_path):
    models = Models(tmp_path)
    models.make_up("chat")
    models.get("chat").blob.write_bytes(b"")
    assert models.get("chat").size == 1 << 20
    models.get("chat").blob.unlink()
    assert [model.name for model in models.all()] == ["chat:latest"]


@pytest.mark.parametrize("name", ["", "../../etc:passwd", "a/../b", "a:", "/a"])
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    models = Models(tmp_path)
    with pytest.raises(ValueError, match="cannot read"):
        models.put(name, "0")
    assert models.get(name) is None


def test_models_outlive_the_server(tmp_path):
    Models(tmp_path).make_up("chat")
    assert Models(tmp_path).get("chat").size == 1 << 20
