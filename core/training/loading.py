"""Load base models, adapters and tuned models: safetensors only, and never code from a model's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model, prepare_model_for_kbit_training
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from core import methods
from core.atomic import is_whole
from core.schemas.errors import UserError, is_disk_full
from core.schemas.families import FAMILIES, unfit
from core.schemas.methods import Method
from core.schemas.recipe import Recipe

from .adapters import quicken, spare_casts
from .device import answering_dtype
from .heads import Head, from_facts

TUNED_FILE = "tunewell.json"
SHORT_NAMES = ("t5", "mt5", "umt5")  # architectures whose attention matrices are called q, k, v, o
Model: TypeAlias = PreTrainedModel | PeftModel


def tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """The model's tokenizer, with a padding token: its own, else end-of-text, else the unknown token."""
    loaded = PreTrainedTokenizerFast.from_pretrained(str(folder))
    if loaded.pad_token is None:
        loaded.pad_token = loaded.eos_token or loaded.unk_token
    return loaded


def base_model(
    folder: str | Path,
    family: str,
    dtype: torch.dtype,
    head: Head | None = None,
    *,
    fresh_head: bool = True,
    bits: int | None = None,
) -> PreTrainedModel:
    """The pre-trained weights; for a family that reads with a fresh `head`. `bits` quantises them.

    Raises UserError where the folder holds no safetensors weights, is damaged, lacks weights (other than those of the
    fresh head), or is of an architecture that is unknown or does not fit the family.
    """
    folder = Path(folder)
    reads = FAMILIES[family].reads
    if not any(folder.glob("*.safetensors")):
        raise UserError(
            "This model cannot be loaded.",
            "Its folder has no weights in the safe format (.safetensors). Other formats can run hidden programs.",
            "Choose a model that offers safetensors files.",
        )
    options: dict[str, Any] = {
        "dtype": dtype, "use_safetensors": True, "trust_remote_code": False, "output_loading_info": True
    }  # fmt: skip
    if bits is not None:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=bits == 4,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        _refuse_unfit(folder, family)
        if reads:
            assert head is not None
            options |= {"num_labels": head.outputs, "problem_type": head.problem}
            # A base that was made for other categories gets a fresh head; what else does not fit is refused below.
            options["ignore_mismatched_sizes"] = fresh_head
            if names := dict(enumerate(getattr(head, "labels", ()))):
                options |= {"id2label": names, "label2id": {v: k for k, v in names.items()}}
        model, loaded = auto_class(family).from_pretrained(str(folder), **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        if is_disk_full(error):  # of what the library writes beside it: its log
            raise
        raise UserError(
            "This model cannot be loaded.",
            f"Its files are damaged or of a kind that is not supported ({type(error).__name__}).",
            "Choose another base model, or fetch this one again.",
        ) from error
    if any(not reads or wanted[0] != head.outputs for _, _, wanted in loaded["mismatched_keys"]):  # type: ignore[union-attr]
        raise UserError(
            "This model cannot be loaded.",
            "Its weights do not have the sizes that its settings say: it is damaged.",
            "Choose another base model, or fetch this one again.",
        )
    if loaded["missing_keys"] and not (reads and fresh_head):
        raise UserError(  # the library would go on with random numbers in their place
            "This model cannot be loaded.",
            f"{len(loaded['missing_keys'])} of its weights are missing: it is damaged, or not a model that writes text.",
            "Choose another base model, or fetch this one again.",
        )
    pad = tokenizer(folder).pad_token_id
    if pad is not None:
        model.config.pad_token_id = pad
        generation = getattr(model, "generation_config", None)
        if generation is not None and generation.pad_token_id is None:
            generation.pad_token_id = pad
    model.config.use_cache = False
    return model


def auto_class(family: str) -> Any:
    """The class of transformers that loads a model of this family."""
    if FAMILIES[family].reads:
        return AutoModelForSequenceClassification
    return AutoModelForSeq2SeqLM if FAMILIES[family].pairs else AutoModelForCausalLM


def _refuse_unfit(folder: Path, family: str) -> None:
    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    # What a fresh model of the hub can do stands in its architectures; without them loading it decides.
    writes = is_causal(folder) or not config.architectures
    if reason := unfit(family, writes=writes, pairs=bool(config.is_encoder_decoder)):
        raise UserError("This base model does not fit the task.", reason, "Choose another base model, or another task.")


def prepared(model: PreTrainedModel, family: str, recipe: Recipe) -> Model:
    """The model with only those weights learning that the recipe's method trains."""
    method = methods.get(recipe.method)
    if method.adapter:
        return with_adapter(model, family, recipe, method)
    freeze_layers(model, recipe.frozen_layers)
    return model


def freeze_layers(model: PreTrainedModel, count: int) -> None:
    """Keep the word table and the first `count` layers as they are. Raises UserError where nothing would learn."""
    if count <= 0:
        return
    layers = next((m for m in model.modules() if isinstance(m, torch.nn.ModuleList)), None)
    if layers is None or count > len(layers):
        raise UserError(
            "Too many layers are frozen.",
            f"The model has {0 if layers is None else len(layers)} layers, and {count} were to stay as they are.",
            "Freeze fewer layers.",
        )
    for part in (model.get_input_embeddings(), *layers[:count]):
        for weight in part.parameters():
            weight.requires_grad = False


def with_adapter(model: PreTrainedModel, family: str, recipe: Recipe, method: Method) -> PeftModel:
    """Freeze the base and put an adapter of this method beside it. A classifier's new head is trained whole."""
    if method.base_bits is not None:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.activation_checkpointing)
    attention = (
        ["q", "k", "v", "o"] if model.config.model_type in SHORT_NAMES else ["q_proj", "k_proj", "v_proj", "o_proj"]
    )
    if FAMILIES[family].pairs and model.config.model_type not in SHORT_NAMES:
        attention[-1] = "out_proj"
    config = LoraConfig(
        task_type=_peft_task(family),
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear" if recipe.lora_targets == "all-linear" else attention,
        **method.adapter_options,
    )
    adapted = get_peft_model(model, config)
    if model.dtype is torch.bfloat16:
        spare_casts(adapted)
        quicken(adapted)
    return adapted


def _peft_task(family: str) -> TaskType:
    if FAMILIES[family].reads:
        return TaskType.SEQ_CLS
    return TaskType.SEQ_2_SEQ_LM if FAMILIES[family].pairs else TaskType.CAUSAL_LM


def refuse_damaged(folder: str | Path) -> None:
    """Raises UserError where a file of a finished run's model was lost or changed since: a flipped bit loads as well as the
    right one, and answers a little differently."""
    if not is_whole(Path(folder)):
        raise UserError(
            "The model of this round is damaged.",
            "A file of it is missing or is not as it was when the training ended: the disk may be failing.",
            "Use another round, or train this one again with the same settings: the data is unchanged.",
        )


def tuned_model(folder: str | Path, device: str = "cpu") -> tuple[Model, PreTrainedTokenizerFast, dict[str, Any]]:
    """A finished run's model in evaluation mode, its tokenizer, and its facts (`family`, `labels`, `base_folder`...)."""
    folder = Path(folder)
    facts = json.loads((folder / TUNED_FILE).read_text())
    dtype = answering_dtype(device)
    head = from_facts(facts)
    model: Model
    if (folder / "adapter_config.json").exists():
        base = base_model(facts["base_folder"], facts["family"], dtype, head)
        model = PeftModel.from_pretrained(base, str(folder), use_safetensors=True)
    else:
        model = base_model(folder, facts["family"], dtype, head, fresh_head=False)
    return model.to(device).eval(), tokenizer(folder), facts


def parameter_counts(model: Model) -> tuple[int, int]:
    """(all weights, weights that learn)."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, learns in sizes if learns)


def is_causal(folder: str | Path) -> bool:
    """Whether the folder's model can write text (and so has a likelihood of label names)."""
    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
    return any("CausalLM" in name or "LMHead" in name for name in config.architectures or [])
