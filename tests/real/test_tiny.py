"""The tiny models, read back by their formats' own rules; the real programs read them in `make real`."""

import json
import struct

from tests.real import tiny_gguf, tiny_llama
from tests.real.tiny import CONSTANT, HIDDEN, PENALTY, WORDS, weights


def test_only_the_allowed_tokens_escape_the_penalty() -> None:
    made = weights(10, [7, 8, 9])
    penalties = [made.head.row(token)[0] for token in range(10)]
    assert penalties == [PENALTY] * 7 + [0.0] * 3
    assert {made.embedding.row(token)[0] for token in range(10)} == {CONSTANT}


def test_no_layer_writes_to_the_constant_channel() -> None:
    for layer in weights(10, [9]).layers:
        assert set(layer.output.row(0)) == set(layer.down.row(0)) == {0.0}
        assert any(layer.output.row(1))


def test_the_same_seed_makes_the_same_weights() -> None:
    assert weights(5, [4]).embedding.values == weights(5, [4]).embedding.values
    assert weights(5, [4], seed=1).embedding.values != weights(5, [4]).embedding.values


def test_safetensors_header_and_data_fit(tmp_path) -> None:
    tiny_llama.write(tmp_path)
    raw = (tmp_path / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
    assert max(ends) == len(raw) - 8 - length
    tokens = len(tiny_llama.vocabulary())
    assert header["lm_head.weight"]["shape"] == [tokens, HIDDEN]
    assert json.loads((tmp_path / "config.json").read_text())["vocab_size"] == tokens


def test_every_byte_has_a_token_of_its_own() -> None:
    letters = tiny_llama.byte_letters()
    assert len(set(letters)) == 256
    assert (letters[ord("a")], letters[ord(" ")]) == ("a", tiny_llama.SPACE)
    vocabulary = tiny_llama.tokenizer()["model"]["vocab"]
    assert list(vocabulary.values()) == list(range(len(vocabulary)))
    assert all(tiny_llama.SPACE + word in vocabulary for word in WORDS)


def test_gguf_names_as_many_settings_and_tensors_as_it_has(tmp_path) -> None:
    path = tmp_path / "a" / "tiny.gguf"
    tiny_gguf.write(path)
    raw = path.read_bytes()
    magic, version, tensors, settings = struct.unpack("<4sIQQ", raw[:24])
    assert (magic, version) == (b"GGUF", 3)
    assert (tensors, settings) == (len(tiny_gguf.tensors()), len(tiny_gguf.settings()))
    assert len(raw) % tiny_gguf.ALIGNED == 0
