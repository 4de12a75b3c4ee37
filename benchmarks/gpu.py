"""How near our training comes to what a graphics card can do. One command, nothing beyond the project's requirements:

    python -m benchmarks.gpu [--shapes llama-3.2-1b qwen3-0.6b llama-3.1-8b] [--minutes 7.5] [--json FILE]
    python -m benchmarks.gpu --tiny        # on any machine: runs all of it on a toy, whose figures mean nothing

Models are built from their published shapes with random weights and trained on random tokens (zeros run 13% faster), packed into
rows of 2,048, by the product's own trainer. In this order: the 8192³ product in bf16 as the ceiling; for each shape loss and
gradient of two of its layers against float32; then its arms (full, LoRA, LoRA with SDPA, LoRA compiled), each warmed up and
measured in blocks of 50 steps that take turns (ABCD, DCBA, …), five each unless time runs out.

The share of the limit is tokens/s * FLOP a token / ceiling, with N = weights of the linear layers and the output head: 6N a token
for full, 4N + 6P for an adapter of P weights, and attention within documents (`core/training/hardware.py`).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "gpu.json"
WIDTH = 2048  # tokens of a packed row
# Rows of a batch. With fewer, small models wait for the processor, which cannot launch their kernels quickly enough.
ROWS = {"llama-3.2-1b": 8, "qwen3-0.6b": 16, "llama-3.1-8b": 4}
LLAMA = {"model_type": "llama", "vocab_size": 128_256, "num_key_value_heads": 8, "rope_theta": 500_000.0}
SHAPES: dict[str, dict[str, Any]] = {
    "llama-3.2-1b": LLAMA | {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32, "head_dim": 64,
        "tie_word_embeddings": True,
    },
    "qwen3-0.6b": {
        "model_type": "qwen3", "vocab_size": 151_936, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": True,
    },
    "llama-3.1-8b": LLAMA | {
        "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32, "head_dim": 128,
        "tie_word_embeddings": False,
    },
    "tiny": LLAMA | {
        "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 8,
        "head_dim": 8, "tie_word_embeddings": True,
    },
}  # fmt: skip
# Whole training of 8 billion weights takes 128 GB before the first activation.
ARMS = {"llama-3.1-8b": ("lora",), "qwen3-0.6b": ("full", "lora"), "tiny": ("full", "lora")}
ALL_ARMS = ("full", "lora", "lora sdpa", "lora compiled")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int = 4
    width: int = WIDTH
    warm_up: int = 8
    blocks: int = 5
    steps: int = 50


@dataclass
class Found:
    """One arm. Times in seconds, memory in bytes above what other arms held, `step_seconds` of all blocks."""

    shape: str
    method: str
    attention: str
    compiled: bool
    tokens_per_step: int
    context: float
    flops_per_token: float
    peak_memory: int = 0
    expected_memory: int = 0
    first_steps_seconds: float = 0.0
    step_seconds: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)  # tokens a second of each

    def row(self, ceiling: float) -> dict[str, Any]:
        rate = statistics.median(self.blocks) if self.blocks else 0.0
        ordered = sorted(self.step_seconds)
        middle = statistics.median(ordered) if ordered else 0.0
        return {
            **{k: v for k, v in asdict(self).items() if k != "step_seconds"},
            "tokens_per_second": rate,
            "share_of_limit": rate * self.flops_per_token / ceiling,
            "limit": ceiling / self.flops_per_token,
            "step_p50": middle,
            "step_p95": ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0,
            "estimate_error": self.expected_memory / self.peak_memory - 1 if self.peak_memory else None,
            "compile_seconds": self.first_steps_seconds if self.compiled else 0.0,
        }


def config_of(shape: str, **changed: Any) -> Any:
    from transformers import AutoConfig

    given = SHAPES[shape] | {"max_position_embeddings": 131_072, "use_cache": False} | changed
    return AutoConfig.for_model(given.pop("model_type"), **given)


def model_of(config: Any, device: str, dtype: Any) -> Any:
    """Random weights, made on the device itself."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device(device):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


def documents(size: Size, seed: int = 0) -> list[list[int]]:
    """Lengths of the documents of each row of a batch: two or three, together as long as the row."""
    source = random.Random(seed)
    made = []
    for _ in range(size.rows):
        first = source.randint(size.width // 3, size.width * 2 // 3)
        second = (size.width - first) // source.choice((1, 2))
        made.append([n for n in (first, second, size.width - first - second) if n])
    return made


def packed_rows(size: Size, vocabulary: int, seed: int = 0) -> Any:
    """One batch of random tokens as the trainer's dataset, repeated for every step."""
    from datasets import Dataset

    source = random.Random(seed)
    ids = [[source.randrange(4, vocabulary) for _ in range(size.width)] for _ in range(size.rows)]
    rows = {"input_ids": ids, "labels": ids, "seq_lengths": documents(size)}
    count = 1 + max(size.warm_up, size.steps)
    return Dataset.from_dict({name: column * count for name, column in rows.items()})


def recipe_of(method: str, size: Size) -> Any:
    from core.schemas.recipe import Recipe

    return Recipe(
        method=method, batch_size=size.rows, learning_rate=1e-5, scheduler="constant", warmup=0.0, lora_dropout=0.0, epochs=1
    )  # fmt: skip


class Arm:
    """A model with our trainer, which trains it in blocks; the optimiser goes on from one to the next."""

    def __init__(self, shape: str, name: str, size: Size, folder: str) -> None:
        import torch

        from core import methods
        from core.schemas.plan import PreparationPlan
        from core.services.models import STARTER_FOLDER
        from core.training import arguments, device, hardware, loading, regional, varlen
        from core.training.collators import LanguageCollator
        from core.training.phases import Phases
        from core.training.trainers import LanguageTrainer

        method, _, kind = name.partition(" ")
        adapter = methods.get(method).adapter
        chosen = self.device = device.choose("auto", adapter)
        self.size = size
        empty(chosen)
        self.before = torch.cuda.memory_reserved() if chosen.name == "cuda" else 0
        recipe = recipe_of(method, size)
        torch.manual_seed(0)
        config = config_of(shape)
        model = loading.prepared(model_of(config, chosen.name, chosen.weights), "causal-lm", recipe)
        rows = packed_rows(size, config.vocab_size)
        args = arguments.language_model(folder, len(rows), recipe, PreparationPlan(max_length=size.width), chosen)
        args.eval_strategy = args.save_strategy = "no"
        args.logging_steps, args.logging_first_step = 10**9, False
        self.trainer = LanguageTrainer(
            model=model, args=args, train_dataset=rows, data_collator=LanguageCollator(0),
            processing_class=loading.tokenizer(STARTER_FOLDER),
        )  # fmt: skip
        self.trainer.phases, self.trainer.grouped = Phases("none"), False
        by_example = kind != "sdpa" and varlen.runs_on(chosen) and varlen.adopt(self.trainer.model, chosen)
        self.trainer.data_collator = LanguageCollator(0, by_example=by_example)
        self.clock = step_clock(chosen)
        self.trainer.add_callback(self.clock)
        if kind == "compiled":
            regional.compile_layers(self.trainer.model)
        lengths = [n for row in documents(size) for n in row]
        context = hardware.mean_context(lengths)
        self.found = Found(
            shape, method, "by example" if by_example else "SDPA", kind == "compiled", size.rows * size.width, context,
            hardware.flops_per_token(self.trainer.model, adapter, context),
            expected_memory=expected_memory(shape, method, size, chosen.name),
        )  # fmt: skip

    def warm_up(self) -> None:
        import torch

        card = self.device.name == "cuda"
        if card:
            torch.cuda.reset_peak_memory_stats()
        begun = time.perf_counter()
        self._train(self.size.warm_up)
        self.found.first_steps_seconds = time.perf_counter() - begun
        if card:
            self.found.peak_memory = torch.cuda.max_memory_reserved() - self.before

    def block(self) -> None:
        self._train(self.size.steps + 1)  # the first step ends where the clock begins
        times = self.clock.seconds()
        self.found.step_seconds += times
        self.found.blocks.append(self.found.tokens_per_step * len(times) / sum(times))

    def _train(self, steps: int) -> None:
        self.trainer.args.max_steps = steps
        self.clock.start()
        self.trainer.train()


def step_clock(chosen: Any) -> Any:
    """A callback that marks the end of every step, on a card by events, so that nothing waits within a block."""
    import torch
    from transformers import TrainerCallback

    class StepClock(TrainerCallback):
        def start(self) -> None:
            self.marks: list[Any] = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if chosen.name == "cuda":
                mark = torch.cuda.Event(enable_timing=True)
                mark.record()
            else:
                mark = time.perf_counter()
            self.marks.append(mark)

        def seconds(self) -> list[float]:
            pairs = list(zip(self.marks, self.marks[1:], strict=False))
            if chosen.name == "cuda":
                torch.cuda.synchronize()
                return [a.elapsed_time(b) / 1000 for a, b in pairs]
            return [b - a for a, b in pairs]

    return StepClock()


def empty(chosen: Any) -> None:
    from core.training.device import release_memory

    release_memory()


def expected_memory(shape: str, method: str, size: Size, device: str) -> int:
    """What the product would have said, without the driver's own part, which the card's allocator does not count."""
    from core import methods
    from core.data import cost

    parts = cost.memory_parts(facts_of(shape), recipe_of(method, size), methods.get(method), size.width, False, device)
    return sum(parts.values()) - parts["libraries"]


def facts_of(shape: str) -> Any:
    from core.schemas.models import ModelFacts

    model = model_of(config_of(shape), "meta", None)
    config = model.config
    return ModelFacts(
        key=shape, title=shape, source="folder", folder="", parameters=model.num_parameters(),
        embedding_parameters=config.vocab_size * config.hidden_size,
        layers=config.num_hidden_layers, hidden_size=config.hidden_size, intermediate_size=config.intermediate_size,
        heads=config.num_attention_heads, key_value_heads=config.num_key_value_heads, head_size=config.head_dim,
        vocabulary=config.vocab_size, context_length=config.max_position_embeddings,
    )  # fmt: skip


def correctness(shape: str, size: Size) -> dict[str, float]:
    """Two layers of the shape in the training's format (and attention) against float32 with SDPA, on one packed row:
    relative difference of the loss, and cosine of the gradients of the last layer."""
    import torch

    from core.training import device, varlen
    from core.training.collators import LanguageCollator
    from core.training.token_loss import loss_and_hits, teach

    chosen, found = device.choose("auto", True), []
    small = replace(size, rows=1, width=min(size.width, 512))
    rows = packed_rows(small, SHAPES[shape]["vocab_size"])
    for exact in (True, False):
        torch.manual_seed(0)
        dtype = torch.float32 if exact else chosen.weights
        model = model_of(config_of(shape, num_hidden_layers=2), chosen.name, torch.float32).to(dtype)
        by_example = not exact and varlen.runs_on(chosen) and varlen.adopt(model, chosen)
        teach(model)
        batch = LanguageCollator(0, by_example=by_example)([rows[0]])
        batch = {k: v.to(chosen.name) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
        with torch.autocast(chosen.name, torch.bfloat16, enabled=chosen.autocast and not exact):
            loss, _, tokens = loss_and_hits(model, batch)
        (loss / tokens).backward()
        gradient = torch.cat([p.grad.float().flatten() for p in model.model.layers[-1].parameters()])
        found.append((float(loss.detach()) / tokens, gradient))
        del model
        empty(chosen)
    (exact_loss, exact_gradient), (loss_, gradient_) = found
    cosine = torch.nn.functional.cosine_similarity(exact_gradient, gradient_, dim=0)
    return {"loss_difference": abs(loss_ / exact_loss - 1), "gradient_cosine": float(cosine)}


def fitting(shape: str, size: Size, memory: int) -> Size:
    """Fewer rows where the estimate does not leave a tenth of the card's memory."""
    arms = {arm.split()[0] for arm in ARMS.get(shape, ALL_ARMS)}
    while size.rows > 1 and max(expected_memory(shape, m, size, "cuda") for m in arms) > 0.9 * memory:
        size = replace(size, rows=size.rows // 2)
    return size


def rounds(arms: list[Arm], size: Size, end: float) -> None:
    """Blocks that take turns. No round begins that would end too late, judged by the one before; one is always made."""
    took = 0.0
    for number in range(size.blocks):
        begun = time.monotonic()
        if number and begun + took > end:
            break
        for arm in arms if number % 2 == 0 else reversed(arms):
            arm.block()
        took = time.monotonic() - begun


def measured(shape: str, size: Size, end: float) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        arms = []
        for name in ARMS.get(shape, ALL_ARMS):
            arm = Arm(shape, name, size, folder)
            arm.warm_up()
            arms.append(arm)
        rounds(arms, size, end)
        yield from (arm.found for arm in arms)


def show(report: dict[str, Any]) -> None:
    print(f"{report['device']}: ceiling {report['ceiling'] / 1e12:.1f} TFLOP/s ({report['how']})")
    for shape, found in report["correctness"].items():
        print(
            f"{shape}: loss {found['loss_difference']:.2%} off float32, gradients at a cosine of {found['gradient_cosine']:.4f}"
        )
    print(
        f"{'shape':<14}{'method':<7}{'attention':<12}{'compiled':<9}{'tokens/s':>10}{'limit':>9}{'share':>7}{'p50 ms':>8}"
        f"{'p95 ms':>8}{'peak GB':>9}{'estimate':>9}{'compile s':>10}{'blocks':>7}"
    )
    for r in report["arms"]:
        off = "-" if r["estimate_error"] is None else f"{r['estimate_error']:+.0%}"
        print(
            f"{r['shape']:<14}{r['method']:<7}{r['attention']:<12}{'yes' if r['compiled'] else 'no':<9}"
            f"{r['tokens_per_second']:>10,.0f}{r['limit']:>9,.0f}{r['share_of_limit']:>7.0%}{1000 * r['step_p50']:>8.1f}"
            f"{1000 * r['step_p95']:>8.1f}{r['peak_memory'] / 1e9:>9.1f}{off:>9}{r['compile_seconds']:>10.1f}"
            f"{len(r['blocks']):>7}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    real = [name for name in SHAPES if name != "tiny"]
    parser.add_argument("--shapes", nargs="+", choices=real, default=real)
    parser.add_argument("--minutes", type=float, default=7.5, help="no block begins that would end later")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tiny", action="store_true", help="a toy, on any machine: does it all run?")
    options = parser.parse_args()
    begun = time.monotonic()
    import torch

    from core.training import device, hardware

    if not torch.cuda.is_available() and not options.tiny:
        sys.exit("There is no NVIDIA graphics card here: nothing was measured. `--tiny` runs everything on a toy.")
    shapes, size = (["tiny"], Size(2, 64, 2, 2, 3)) if options.tiny else (options.shapes, Size())
    chosen = device.choose("auto", True)
    ceiling, how = hardware.measured_ceiling(chosen)
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")}
    report: dict[str, Any] = {
        "device": chosen.title, "ceiling": ceiling, "how": how, "versions": versions | {"cuda": torch.version.cuda},
        "correctness": {}, "arms": [],
    }  # fmt: skip
    out = options.json or (None if options.tiny else RESULTS)
    for number, shape in enumerate(shapes):
        report["correctness"][shape] = correctness(shape, size)
        left = begun + 60 * options.minutes - time.monotonic()
        fitted = size if options.tiny else fitting(shape, replace(size, rows=ROWS[shape]), torch.cuda.mem_get_info()[1])
        end = time.monotonic() + left / (len(shapes) - number)
        report["arms"] += [found.row(ceiling) for found in measured(shape, fitted, end)]
        empty(chosen)
        report["minutes"] = (time.monotonic() - begun) / 60
        if out:  # after every shape: a later one that fails takes nothing with it
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    show(report)


if __name__ == "__main__":
    main()
