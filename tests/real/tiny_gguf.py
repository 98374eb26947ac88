"""The tiny model as Ollama and llama.cpp read it: one GGUF file. `python -m tests.real.tiny_gguf FILE`.

The format in short: a head, named settings with their types, the tensors' names and places, and the tensors.
"""

import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.real.tiny import CONTEXT, EPSILON, HEADS, HIDDEN, INNER, LAYERS, TEMPLATE, WORDS, Matrix, ones
from tests.real.tiny import weights as weights_of

U32, I32, F32, TEXT, LIST = 4, 5, 6, 8, 9
WORD, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
ALIGNED = 32
SPACE = "▁"  # how this kind of vocabulary spells a space
FLOAT_TENSOR, ALL_FLOATS = 0, 0


def vocabulary() -> list[tuple[str, int, float]]:
    """Each token with its type and its score: letters before words, the bare space last."""
    made = [("<unk>", UNKNOWN, 0.0), ("<s>", CONTROL, 0.0), ("</s>", CONTROL, 0.0)]
    made += [(f"<0x{byte:02X}>", BYTE, 0.0) for byte in range(256)]
    letters = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    words = [SPACE + word for word in WORDS]
    made += [(text, WORD, -1.0 - place) for place, text in enumerate([SPACE, *letters, *words])]
    return made


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def number(value: int) -> bytes:
    return struct.pack("<II", U32, value)


def fraction(value: float) -> bytes:
    return struct.pack("<If", F32, value)


def string(value: str) -> bytes:
    return struct.pack("<I", TEXT) + text(value)


def many(kind: int, packed: Sequence[bytes]) -> bytes:
    return struct.pack("<IIQ", LIST, kind, len(packed)) + b"".join(packed)


def settings() -> dict[str, bytes]:
    tokens = vocabulary()
    return {
        "general.architecture": string("llama"),
        "general.name": string("tiny"),
        "general.file_type": number(ALL_FLOATS),
        "llama.context_length": number(CONTEXT),
        "llama.embedding_length": number(HIDDEN),
        "llama.block_count": number(LAYERS),
        "llama.feed_forward_length": number(INNER),
        "llama.attention.head_count": number(HEADS),
        "llama.attention.head_count_kv": number(HEADS),
        "llama.attention.layer_norm_rms_epsilon": fraction(EPSILON),
        "llama.rope.dimension_count": number(HIDDEN // HEADS),
        "llama.vocab_size": number(len(tokens)),
        "tokenizer.ggml.model": string("llama"),
        "tokenizer.ggml.tokens": many(TEXT, [text(token) for token, _, _ in tokens]),
        "tokenizer.ggml.scores": many(F32, [struct.pack("<f", score) for _, _, score in tokens]),
        "tokenizer.ggml.token_type": many(I32, [struct.pack("<i", kind) for _, kind, _ in tokens]),
        "tokenizer.ggml.unknown_token_id": number(0),
        "tokenizer.ggml.bos_token_id": number(1),
        "tokenizer.ggml.eos_token_id": number(2),
        "tokenizer.chat_template": string(TEMPLATE),
    }


def tensors() -> dict[str, Matrix]:
    tokens = len(vocabulary())
    made = weights_of(tokens, range(tokens - len(WORDS), tokens))
    named = {
        "token_embd.weight": made.embedding,
        "output_norm.weight": ones(),
        "output.weight": made.head,
    }
    for place, layer in enumerate(made.layers):
        parts = {
            "attn_q": layer.query,
            "attn_k": layer.key,
            "attn_v": layer.value,
            "attn_output": layer.output,
            "ffn_gate": layer.gate,
            "ffn_up": layer.up,
            "ffn_down": layer.down,
            "attn_norm": ones(),
            "ffn_norm": ones(),
        }
        named |= {f"blk.{place}.{part}.weight": matrix for part, matrix in parts.items()}
    return named


def padded(raw: bytes) -> bytes:
    return raw + b"\0" * (-len(raw) % ALIGNED)


def content() -> bytes:
    named, said = tensors(), settings()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(named), len(said))
    head += b"".join(text(name) + value for name, value in said.items())
    body, places = b"", b""
    for name, matrix in named.items():
        sizes = (matrix.columns,) if matrix.rows == 1 else (matrix.columns, matrix.rows)
        places += text(name) + struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
        places += struct.pack("<IQ", FLOAT_TENSOR, len(body))
        body += padded(matrix.values.tobytes())
    return padded(head + places) + body


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
