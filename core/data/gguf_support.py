"""Which models can be written as GGUF so that llama.cpp computes the same: architecture and tokenizer, from small files.

llama.cpp does not read a tokenizer.json. It has a list of ways to cut a text into words before the merges, each with a name
that the file gives (`tokenizer.ggml.pre`). The wrong name loads and gives other tokens without a word, so a name is only
given where the tokenizer.json says exactly what llama.cpp does under it (`llama-vocab.cpp`, llm_tokenizer_bpe).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gpt2": "gpt2"}
"""Our models' types, and what GGUF calls them."""
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
SPLITS = {_QWEN2: "qwen2", _LLAMA3: "llama-bpe"}
IGNORES_MERGES = ("llama-bpe",)  # takes a whole word that is in the vocabulary without looking at the merges


def unfit(config: Mapping[str, Any], folder: str | Path) -> str:
    """Why this model is not offered as GGUF, in one sentence; empty where it is."""
    return _architecture(config) or _tokenizer(Path(folder))


def _architecture(config: Mapping[str, Any]) -> str:
    kind = str(config.get("model_type"))
    if kind not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        return f"Its architecture ({kind or 'unknown'}) is not among those that we can prove equal: {known}."
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        return f"It stretches positions ({rope.get('rope_type') or rope.get('type')}), which we cannot prove equal yet."
    if kind == "gpt2":
        other = config.get("activation_function", "gelu_new") != "gelu_new" or not config.get(
            "scale_attn_weights", True
        )
        other = (
            other or config.get("scale_attn_by_inverse_layer_idx", False) or config.get("add_cross_attention", False)
        )
        return "Its attention or activation differs from the usual GPT-2." if other else ""
    if config.get("hidden_act", "silu") != "silu":
        return f"Its activation ({config['hidden_act']}) is another one than llama.cpp computes for this architecture."
    if kind != "qwen2" and (config.get("attention_bias") or config.get("mlp_bias")):
        return "Its layers have biases, which cannot be read back for this architecture."
    if kind.startswith("qwen") and config.get("use_sliding_window"):
        return "Some of its layers see only the newest tokens, which we cannot prove equal yet."
    return ""


def _tokenizer(folder: Path) -> str:
    file = folder / "tokenizer.json"
    if not file.is_file():
        return "It has no tokenizer.json."
    return _of_file(str(file), file.stat().st_mtime)[1]


def pre_tokenizer(folder: str | Path) -> str:
    """llama.cpp's name for how this tokenizer cuts a text into words. Raises ValueError where it has none."""
    file = Path(folder) / "tokenizer.json"
    name, reason = _of_file(str(file), file.stat().st_mtime)
    if reason:
        raise ValueError(reason)
    return name


@lru_cache(maxsize=16)
def _of_file(file: str, _changed: float) -> tuple[str, str]:
    """(name, why there is none)."""
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        model = found["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return "", "Its tokenizer.json cannot be read."
    if model.get("type") != "BPE" or model.get("byte_fallback") or not model.get("merges"):
        return (
            "",
            "Its tokenizer is of another kind than GPT-2's, and we cannot prove the tokens equal.",
        )
    odd = [model.get(key) for key in ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")]
    if any(odd):
        return "", "Its tokenizer has settings that llama.cpp does not know."
    normalizer = found.get("normalizer")
    if normalizer and normalizer.get("type") != "NFC":
        return "", "Its tokenizer changes texts before it cuts them, and llama.cpp would not."
    if any(token.get(key) for token in found.get("added_tokens", []) for key in ("lstrip", "rstrip", "single_word")):
        return "", "Its tokenizer has tokens that swallow the blanks beside them, and llama.cpp would not."
    name = _name(found.get("pre_tokenizer") or {})
    if not name:
        return "", "Its tokenizer cuts texts in a way for which llama.cpp has no name."
    if bool(model.get("ignore_merges")) != (name in IGNORES_MERGES):
        return "", "Its tokenizer merges in another order than llama.cpp would."
    return name, ""


def _name(cuts: Mapping[str, Any]) -> str:
    parts = cuts.get("pretokenizers", []) if cuts.get("type") == "Sequence" else [cuts]
    if not parts or parts[-1].get("type") != "ByteLevel" or parts[-1].get("add_prefix_space"):
        return ""
    words = parts[-1].get("use_regex", True)
    first = parts[:-1]
    if not first:
        return "gpt-2" if words else ""
    if len(first) > 1:
        return ""
    if first[0].get("type") == "Digits":
        return "smollm" if words and first[0].get("individual_digits") else ""
    if first[0].get("type") == "Split" and not words:
        plain = first[0].get("behavior") == "Isolated" and not first[0].get("invert")
        return SPLITS.get((first[0].get("pattern") or {}).get("Regex", ""), "") if plain else ""
    return ""
