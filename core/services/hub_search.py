"""Look for models on the Hugging Face hub with its own client. Asked only when a person presses; never waits for long."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from huggingface_hub import HfApi
from huggingface_hub.hf_api import ModelInfo

from core import methods
from core.data import cost, hardware
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES, unfit
from core.schemas.hub import HubFound, HubModel, HubQuery
from core.schemas.models import Fit, ModelFacts
from core.store.config import storage_root
from core.store.tables import Project
from core.tasks import registry as tasks

from . import recipes
from .fetching import hub_errors

MOST = 200  # models looked at in one search
SHOWN = 20
DEADLINE = 12.0  # seconds that a person waits
WANTED: Any = [
    "cardData", "config", "downloads", "gated", "lastModified", "library_name", "likes", "pipeline_tag", "safetensors", "sha",
    "tags",
]  # fmt: skip
# What cannot be trained here although its files are safe: weights that were compressed, and parts of models.
COMPRESSED = {"gguf", "gptq", "awq", "exl2", "bitsandbytes", "compressed-tensors", "fp8", "4-bit", "8-bit", "mlx"}
PARTS = {"peft", "adapter", "lora"}
_LANGUAGE = re.compile(r"[a-z]{2}")
T = TypeVar("T")


def search(query: HubQuery, most: int = SHOWN, deadline: float = DEADLINE) -> HubFound:
    """Models with safetensors weights that fit the query, in the order asked for.

    The hub filters by text, task, language, licence and size; the size is checked here too, because the hub may list models
    whose size it does not know. Raises UserError where the hub cannot be reached or does not answer in time.
    """
    return _in_time(lambda: _ask(query, most), deadline)


def _ask(query: HubQuery, most: int) -> HubFound:
    filters = ["safetensors"]
    if query.language:
        filters.append(query.language)
    if query.licence:
        filters.append(f"license:{query.licence}")
    sizes = [f"min:{query.smallest}"] if query.smallest else []
    sizes += [f"max:{query.largest}"] if query.largest else []
    found: list[HubModel] = []
    looked_at = left_out = 0
    with hub_errors("model", query.text, "the hub"):
        listed = iter(
            HfApi(token=False).list_models(
                search=query.text.strip() or None,
                pipeline_tag=query.pipeline or None,
                filter=filters,
                num_parameters=",".join(sizes) or None,
                sort=query.sort,
                limit=MOST + 1,
                expand=WANTED,
            )
        )
        while len(found) < most and looked_at < MOST:
            info = next(listed, None)
            if info is None:
                break
            looked_at += 1
            model = model_of(info)
            if _has_size(model, query):
                found.append(model)
            else:
                left_out += 1
        more = next(listed, None) is not None
    return HubFound(models=tuple(found), looked_at=looked_at, left_out=left_out, more=more)


def _has_size(model: HubModel, query: HubQuery) -> bool:
    if not model.parameters:
        return not (query.smallest or query.largest)
    return query.smallest <= model.parameters and (not query.largest or model.parameters <= query.largest)


def model_of(info: ModelInfo) -> HubModel:
    """What the hub says of a model, as far as it matters here."""
    tags = {str(tag).lower() for tag in info.tags or []}
    config = info.config or {}
    names = [str(name) for name in config.get("architectures") or []]
    pairs = any("ConditionalGeneration" in name for name in names) or info.pipeline_tag == "text2text-generation"
    writes = any("CausalLM" in name or "LMHead" in name for name in names) or (
        not names and info.pipeline_tag == "text-generation"
    )
    card = info.card_data.to_dict() if info.card_data else {}
    said = card.get("license_name") or card.get("license") or ""
    licence = said if isinstance(said, str) else ""
    licence = licence or next((tag.removeprefix("license:") for tag in sorted(tags) if tag.startswith("license:")), "")
    return HubModel(
        name=info.id,
        commit=info.sha or "",
        parameters=int(info.safetensors.total) if info.safetensors else 0,
        licence=licence,
        languages=tuple(sorted(tag for tag in tags if _LANGUAGE.fullmatch(tag))),
        gated=bool(info.gated),
        downloads=info.downloads or 0,
        likes=info.likes or 0,
        changed=info.last_modified.date().isoformat() if info.last_modified else "",
        writes=writes,
        pairs=pairs,
        unusable=_unusable(tags, str(info.library_name or ""), config),
    )


def _unusable(tags: set[str], library: str, config: dict[str, Any]) -> str:
    if "custom_code" in tags or "auto_map" in config:
        return "It wants to run its own program code, which is never done here."
    if tags & COMPRESSED or "quantization_config" in config:
        return "Its weights are compressed for use and cannot be trained: look for the model that it was made from."
    if tags & PARTS or library == "peft":
        return "It is an adapter, only a part of a model: look for the model that it belongs to."
    return ""


def unfit_for(project: Project, model: HubModel) -> str:
    """Why the project's task cannot use it, in a sentence; empty where it can, as far as the hub tells."""
    if model.unusable:
        return model.unusable
    family = tasks()[project.task].family if project.task else "causal-lm"
    return unfit(family, writes=model.writes, pairs=model.pairs)


def rough_fit(project: Project, model: HubModel) -> Fit | None:
    """Whether training it would fit this machine, by its size alone; None where the size is not known."""
    if not model.parameters:
        return None
    family = tasks()[project.task].family if project.task else "causal-lm"
    facts = guessed_shape(model)
    recipe = recipes.preset("balanced", facts, family, 500)
    method = methods.get(recipe.method)
    return cost.fit(facts, recipe, method, 256, FAMILIES[family].reads, hardware.look(storage_root()))


def guessed_shape(model: HubModel) -> ModelFacts:
    """The shape that a transformer of this many weights usually has: 12 L h^2 weights in L layers of width h, L = h / 96
    (between those of GPT-2, Llama and Qwen), four times as wide inside. Good enough for "fits" and "does not fit" alone."""
    width = max(64, round((8 * model.parameters) ** (1 / 3)))
    return ModelFacts(
        key=model.name,
        title=model.name,
        source="hub",
        folder="",
        causal=model.writes,
        encoder_decoder=model.pairs,
        parameters=model.parameters,
        hidden_size=width,
        intermediate_size=4 * width,
        layers=max(2, round(width / 96)),
        heads=max(1, width // 64),
        key_value_heads=max(1, width // 64),
        vocabulary=50_000,
        context_length=1024,
        licence=model.licence,
        languages=model.languages,
    )


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """What `work` gives or raises; UserError where it takes longer. Its thread then ends by itself and holds nothing up."""
    answer: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(1)

    def run() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:
            answer.put((None, error))

    threading.Thread(target=run, name="hub-search", daemon=True).start()
    try:
        value, error = answer.get(timeout=seconds)
    except queue.Empty:
        raise UserError(
            "The hub could not be reached.",
            f"It did not answer within {seconds:.0f} seconds: there may be no connection.",
            "Try again later, or copy a model folder to this machine and add it.",
        ) from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
