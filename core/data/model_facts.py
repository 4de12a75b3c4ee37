"""Facts about a model folder from its small files and the headers of its weights: no weights are loaded, no code runs."""

from __future__ import annotations

import json
import re
import struct
from math import prod
from pathlib import Path
from typing import Any

import yaml

from core.schemas.errors import UserError
from core.schemas.models import ModelFacts, Source

LARGEST_HEADER = 100 * 2**20
_EMBEDDING = re.compile(r"embed_tokens|word_embeddings|(wte|shared)\.weight$")
_CARD = re.compile(r"\A---\s*\n(.*?)\n---\s*\n(.*)", re.S)


def read_facts(folder: Path, key: str, source: Source, revision: str = "", title: str = "") -> ModelFacts:
    """Read `config.json`, `tokenizer.json`, the model card's header and the safetensors headers.

    Raises UserError where a file is missing or damaged, or where the weights are only there in a format that can run code.
    """
    config = _json(folder / "config.json", "its description (config.json)")
    if not (folder / "tokenizer.json").is_file():
        raise UserError(
            "This model cannot be used here.",
            "Its folder has no tokenizer.json, so text cannot be turned into tokens safely.",
            "Choose a model with a fast tokenizer (a file tokenizer.json).",
        )
    if "auto_map" in config:
        raise UserError(
            "This model cannot be used here.",
            "It wants to run its own program code (auto_map in its config.json).",
            "Choose a model of a standard architecture.",
        )
    shapes = _shapes(folder)
    parameters = sum(prod(shape) for shape in shapes.values())
    embedding = sum(prod(shape) for name, shape in shapes.items() if _EMBEDDING.search(name))
    card = _card(folder)
    architectures = config.get("architectures") or [""]
    heads = _first(config, "num_attention_heads", "n_head", "num_heads", "encoder_attention_heads")
    tokenizer_config = (
        _json(folder / "tokenizer_config.json", "") if (folder / "tokenizer_config.json").exists() else {}
    )
    return ModelFacts(
        key=key,
        title=title or str(card.get("model_name") or folder.name),
        source=source,
        folder=str(folder),
        revision=revision,
        architecture=str(architectures[0]),
        model_type=str(config.get("model_type", "")),
        causal=any("CausalLM" in str(a) or "LMHead" in str(a) for a in architectures),
        encoder_decoder=bool(config.get("is_encoder_decoder")),
        parameters=parameters,
        embedding_parameters=embedding,
        hidden_size=_first(config, "hidden_size", "n_embd", "d_model"),
        intermediate_size=_first(config, "intermediate_size", "n_inner", "d_ff", "encoder_ffn_dim"),
        layers=_layers(config),
        heads=heads,
        key_value_heads=int(config.get("num_key_value_heads") or heads),
        head_size=_first(config, "head_dim", "d_kv"),
        vocabulary=int(config.get("vocab_size") or 0),
        context_length=int(config.get("max_position_embeddings") or config.get("n_positions") or 0),
        bytes_on_disk=sum(p.stat().st_size for p in folder.iterdir() if p.is_file()),
        languages=tuple(_listed(card.get("language"))),
        licence=str(card.get("license_name") or card.get("license") or ""),
        description=str(card.get("summary") or ""),
        has_chat_template=bool(tokenizer_config.get("chat_template")) or (folder / "chat_template.jinja").exists(),
    )


def _first(config: dict[str, Any], *names: str) -> int:
    """The first of these settings that is there: families of models name them differently."""
    return next((int(config[name]) for name in names if config.get(name)), 0)


def _layers(config: dict[str, Any]) -> int:
    """Layers of the whole model: those of encoder and decoder together where there are two."""
    if not config.get("is_encoder_decoder"):
        return _first(config, "num_hidden_layers", "n_layer")
    encoder = _first(config, "encoder_layers", "num_layers", "num_hidden_layers")
    return encoder + (_first(config, "decoder_layers", "num_decoder_layers") or encoder)


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            "This is not a model folder.",
            f"It lacks {what}.",
            "Choose the folder that holds config.json and the weights.",
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            "This model cannot be read.", f"The file {path.name} is damaged.", "Fetch or copy the model again."
        ) from error
    if not isinstance(value, dict):
        raise UserError(
            "This model cannot be read.", f"The file {path.name} is damaged.", "Fetch or copy the model again."
        )
    return value


def _shapes(folder: Path) -> dict[str, list[int]]:
    """Tensor shapes from the safetensors headers: 8 bytes of length, then JSON (format by Hugging Face)."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        unsafe = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise UserError(
            "This model cannot be used here.",
            "Its weights are in a format that can hide programs." if unsafe else "Its folder has no weights.",
            "Choose a model that offers safetensors files.",
        )
    shapes: dict[str, list[int]] = {}
    for file in files:
        try:
            with open(file, "rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                if length > LARGEST_HEADER:
                    raise ValueError("header too large")
                header = json.loads(stream.read(length))
            ends = [t["data_offsets"][1] for n, t in header.items() if n != "__metadata__"]
            if file.stat().st_size < 8 + length + max(ends, default=0):
                raise ValueError("cut short")
            shapes.update({n: t["shape"] for n, t in header.items() if n != "__metadata__"})
        except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                "This model cannot be read.",
                f"The weights file {file.name} is damaged or was not copied to its end.",
                "Fetch or copy the model again.",
            ) from error
    return shapes


def _card(folder: Path) -> dict[str, Any]:
    """The YAML header of the model card, or nothing."""
    try:
        match = _CARD.match((folder / "README.md").read_text(encoding="utf-8"))
        found = yaml.safe_load(match[1]) if match else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] if value else []
