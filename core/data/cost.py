"""What a training will cost before it starts: memory by part, and time. Formulas in docs/decisions.md, "Cost estimate"."""

from __future__ import annotations

from core.schemas.methods import Method
from core.schemas.models import Fit, ModelFacts
from core.schemas.recipe import Recipe

from .hardware import Hardware

TIGHT = 0.75  # share of the free memory from which on it is called tight
CPU_BASE = 520 * 2**20  # libraries and Python itself, measured as resident set on a CPU
# What of the activations' formula is really there at the peak on a CPU (`benchmarks/memory.py`): an adapter keeps each layer's
# input once more, and once again where its dropout makes a copy.
CPU_KEPT = {"full": 1.4, "adapter": 1.8, "dropout": 2.5}
# Copies of the attention's weights (scores, softmax, dropout) that a T5 keeps for each of its attentions: its position bias
# keeps the libraries from computing them in passing (`benchmarks/memory.py`).
BIASED_KEPT = 3
BIASED = ("t5", "mt5", "umt5", "longt5")
GPU_BASE = 1200 * 2**20  # CUDA context and workspace
GPU_KEPT = 1.2  # the same on a card: fitted on five trainings, which it meets within 12% (benchmarks/results/README.md)
# A card computes the logits in tiles of half a gigabyte at most (`core/training/one_pass.py`): 4 bytes times these two.
HEAD_TOKENS, HEAD_WORDS = 4096, 32_768


def adapter_parameters(facts: ModelFacts, recipe: Recipe) -> int:
    """Weights of a LoRA adapter: rank times (inputs + outputs) of every adapted matrix."""
    h, inner = facts.hidden_size, facts.intermediate_size
    query, kv = facts.query_width, facts.key_value_width
    attention = 2 * (h + query) + 2 * (h + kv)
    mlp = 3 * (h + inner) if recipe.lora_targets == "all-linear" else 0
    return recipe.lora_rank * facts.layers * (attention + mlp)


def memory_parts(
    facts: ModelFacts, recipe: Recipe, method: Method, max_length: int, classifier: bool, device: str
) -> dict[str, int]:
    """Bytes on one device by what they are for, for one micro-batch of `batch_size` rows of `max_length` tokens.

    Weights and optimizer: full float32 with Adam 16 N (frozen layers 4); LoRA 4 N (2 N in bf16) + 16 P; QLoRA about
    .52 (N - E) + 2 E + 16 P, E being the embedding, which is not quantised. Activations: 6 h + 4 h_q + 2 h_kv + 4 I numbers a
    token and layer (h_q = heads x size of a head, mostly h), and what the libraries keep besides. Logits: a card has tiles of
    them, a float32 copy of the hidden states, and of the head's gradient where it learns.
    Each side of an encoder-decoder has `max_length` tokens and its own layers, which together are the model's; a T5 also
    keeps rows x heads x length^2 numbers for every attention, of which a layer of the decoder has two.

    Several devices: gradients are sent from a copy, 4 bytes more for each weight that learns; or, where the model is in parts,
    each holds its share of the weights and states, and whole the word table and two layers at a time.
    """
    gpu = device == "cuda"
    n = facts.parameters
    tokens = recipe.batch_size * max_length
    if method.adapter:
        weights, states = n * (2 if gpu else 4), 16 * adapter_parameters(facts, recipe)
        if method.base_bits is not None:
            weights = (
                int(method.base_bits * 1.04 / 8 * (n - facts.embedding_parameters)) + 2 * facts.embedding_parameters
            )
    else:
        weights, states = 4 * n, 12 * learning_parameters(facts, recipe)
    if recipe.devices > 1:
        learning = adapter_parameters(facts, recipe) if method.adapter else learning_parameters(facts, recipe)
        if recipe.sharding == "full":
            body = (n - facts.embedding_parameters) / max(1, facts.layers)
            share_whole = (facts.embedding_parameters + 2 * body) / max(1, n)
            in_parts = 1 / recipe.devices
            weights = round(weights * min(1.0, in_parts + share_whole))
            states = round(states * in_parts + 4 * learning * min(1.0, share_whole))
        else:
            states += 4 * learning
    query, kv = facts.query_width, facts.key_value_width
    per_token = 6 * facts.hidden_size + 4 * query + 2 * kv + 4 * facts.intermediate_size
    width = 2 if gpu else 4
    # Computing twice keeps the input of each layer (h) and one live layer with its gradients; else all inner values stay.
    kept = (
        2 * facts.hidden_size * facts.layers + 2 * per_token
        if recipe.activation_checkpointing
        else (facts.layers - (0 if method.adapter else min(recipe.frozen_layers, facts.layers))) * per_token
    )
    activations: float = tokens * kept * width
    if gpu:
        activations *= GPU_KEPT
    else:
        activations *= CPU_KEPT["full" if not method.adapter else "dropout" if recipe.lora_dropout else "adapter"]
    if facts.model_type in BIASED:
        attentions = 1.5 if recipe.activation_checkpointing else kept / max(1, per_token) * 1.5
        activations += BIASED_KEPT * attentions * facts.heads * tokens * max_length * width
    logits = 0 if classifier else tokens * facts.vocabulary * (12 if facts.encoder_decoder else 6)
    if gpu and not facts.encoder_decoder and logits:
        tile = min(tokens, HEAD_TOKENS) * min(facts.vocabulary, HEAD_WORDS)
        logits = 4 * tile + 4 * tokens * facts.hidden_size + (0 if method.adapter else 4 * facts.embedding_parameters)
    elif not facts.encoder_decoder:
        # The logits' own copies come and go where activations have been freed, and trl's tiles begin at 512 MB. An
        # encoder-decoder has no tiles: its logits, their logarithm and their gradient are there at once.
        logits = min(2**29, logits)
    return {
        "model weights": weights,
        "gradients and optimizer": states,
        "activations": round(activations),
        "logits": logits,
        "libraries": GPU_BASE if gpu else CPU_BASE,
    }


def learning_parameters(facts: ModelFacts, recipe: Recipe) -> int:
    """Weights that learn in full fine-tuning: all but the word table and the first layers where those are frozen."""
    if not recipe.frozen_layers or not facts.layers:
        return facts.parameters
    body = facts.parameters - facts.embedding_parameters
    return round(body * (1 - min(1.0, recipe.frozen_layers / facts.layers)))


def fit(
    facts: ModelFacts,
    recipe: Recipe,
    method: Method,
    max_length: int,
    classifier: bool,
    hardware: Hardware,
    reference: int = 0,
) -> Fit:
    """Whether it fits this machine, with the numbers. `reference` bytes hold a frozen copy that training is compared with."""
    parts = memory_parts(facts, recipe, method, max_length, classifier, hardware.device)
    if reference:
        parts["frozen copy"] = reference // (recipe.devices if recipe.sharding == "full" else 1)
    needed = sum(parts.values())
    # The devices of a processor are processes that share its memory.
    available = hardware.available if hardware.device == "cuda" else hardware.available // recipe.devices
    share = needed / max(1, available)
    verdict = "fits" if share < TIGHT else "tight" if share < 1 else "does not fit"
    return Fit(verdict=verdict, needed=needed, available=available, device=hardware.title, parts=parts)


def seconds(
    facts: ModelFacts,
    recipe: Recipe,
    method: Method,
    tokens: int,
    classifier: bool,
    hardware: Hardware,
    measured: float | None = None,
) -> float:
    """Rough training time for `tokens` in one epoch (padding included), evaluations included.

    6 N floating-point operations a token for full fine-tuning, 4 N for LoRA, where N leaves out the embedding look-up;
    small models are held up by overhead, so a step never counts less than 25 ms. `measured` tokens a second of an earlier
    run with this model replaces the guess.
    """
    body = max(1, facts.parameters - (facts.embedding_parameters if classifier else 0))
    rate = measured or hardware.speed / (method.flops * (1.33 if recipe.activation_checkpointing else 1) * body)
    steps = max(1.0, tokens * recipe.epochs / max(1.0, recipe.effective_batch_size * 64))
    training = max(tokens * recipe.epochs / rate, 0.025 * steps)
    evaluations = 0.3 * tokens / (3 * rate) * recipe.evaluations_per_epoch * recipe.epochs
    return 8 + training + evaluations
