"""The tiny model as vLLM reads it: a folder with its settings, a byte-level tokenizer and safetensors.

`python -m tests.real.tiny_llama FOLDER`. The standard library writes all of it, so the model can be made for
a vLLM that somebody else has installed.
"""

import json
import struct
import sys
from pathlib import Path
from typing import Any

from tests.real.tiny import CONTEXT, EPSILON, HEADS, HIDDEN, INNER, LAYERS, TEMPLATE, WORDS, Matrix, ones
from tests.real.tiny import weights as weights_of

SPECIAL = ("<s>", "</s>", "<pad>")
SPACE = "Ġ"  # how a byte-level vocabulary spells a space


def byte_letters() -> list[str]:
    """The letter that stands for each byte: printable ones for themselves, the rest moved behind Latin-1."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    letters, moved = [], 0x100
    for byte in range(0x100):
        letters.append(chr(byte if byte in printable else moved))
        moved += byte not in printable
    return letters


def vocabulary() -> list[str]:
    return [*SPECIAL, *byte_letters(), *(SPACE + word for word in WORDS)]


def tokenizer() -> dict[str, Any]:
    special = [
        {
            "id": number,
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for number, token in enumerate(SPECIAL)
    ]
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": bytewise,
        "post_processor": None,
        "decoder": bytewise,
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(vocabulary())},
            "merges": [],
        },
    }


def settings(tokens: int) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": tokens,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HIDDEN // HEADS,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": EPSILON,
        "hidden_act": "silu",
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
        "torch_dtype": "float32",
    }


def tensors(tokens: int) -> dict[str, Matrix]:
    made = weights_of(tokens, range(tokens - len(WORDS), tokens))
    named = {
        "model.embed_tokens.weight": made.embedding,
        "model.norm.weight": ones(),
        "lm_head.weight": made.head,
    }
    for number, layer in enumerate(made.layers):
        parts = {
            "self_attn.q_proj": layer.query,
            "self_attn.k_proj": layer.key,
            "self_attn.v_proj": layer.value,
            "self_attn.o_proj": layer.output,
            "mlp.gate_proj": layer.gate,
            "mlp.up_proj": layer.up,
            "mlp.down_proj": layer.down,
            "input_layernorm": ones(),
            "post_attention_layernorm": ones(),
        }
        named |= {f"model.layers.{number}.{part}.weight": matrix for part, matrix in parts.items()}
    return named


def safetensors(named: dict[str, Matrix]) -> bytes:
    """Eight bytes of length, a JSON header with each tensor's place, then the tensors."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body, end = [], 0
    for name, matrix in named.items():
        raw = matrix.values.tobytes()
        shape = [matrix.columns] if matrix.rows == 1 else [matrix.rows, matrix.columns]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + len(raw)]}
        body.append(raw)
        end += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(body)


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokens = len(vocabulary())
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "model_max_length": CONTEXT,
        "chat_template": TEMPLATE,
    }
    generation = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    (folder / "config.json").write_text(json.dumps(settings(tokens), indent=1))
    (folder / "generation_config.json").write_text(json.dumps(generation))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=1))
    (folder / "model.safetensors").write_bytes(safetensors(tensors(tokens)))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
