"""How near our training comes to what a graphics card can do. One command, nothing beyond the project's requirements:

    python -m benchmarks.gpu [--shapes llama-3.2-1b qwen3-0.6b llama-3.1-8b] [--minutes 8] [--json FILE] [--profile]
    python -m benchmarks.gpu --tiny        # on any machine: runs all of it on a toy, whose figures mean nothing

Models are built from their published shapes with random weights and trained on random tokens (zeros run 13% faster), packed into
rows of 2,048, by the product's own trainer. In this order: the 8192³ product in bf16 as the ceiling; for each shape loss and
gradient of two of its layers against float32; then full and LoRA, each compiled and plain, warmed up and measured in blocks
of 50 steps that take turns (ABCD, DCBA, …): five of the compiled arms, whose goals PERFORMANCE.md sets, and two of the plain
ones. Last one block of LoRA as peft makes it (its casts and passes), which the adapters of `core/training/adapters.py` replace.

An arm is a way to run a step; compiled and plain steps share a model and its optimiser, so that all fit the card together. A
block of slow steps is cut to 20 seconds. After every block JSON and a table beside it are written: what is cut off loses nothing.

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
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "gpu.json"
WIDTH = 2048  # tokens of a packed row
# Rows of a batch. With fewer, small models wait for the processor, which cannot launch their kernels quickly enough.
ROWS = {"llama-3.2-1b": 8, "qwen3-0.6b": 8, "llama-3.1-8b": 2}
TIME = {"llama-3.2-1b": 0.42, "qwen3-0.6b": 0.35, "llama-3.1-8b": 0.23, "tiny": 1.0}  # shares of the minutes
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
METHODS = {"llama-3.1-8b": ("lora",)}
ALL_METHODS = ("full", "lora")
BLOCKS = {"compiled": (0, 1, 2, 3, 4), "plain": (0, 3)}  # in which rounds each way has its turn
GOALS = {  # share of the limit, PERFORMANCE.md
    ("llama-3.2-1b", "full"): 0.65, ("llama-3.2-1b", "lora"): 0.65, ("qwen3-0.6b", "full"): 0.5, ("qwen3-0.6b", "lora"): 0.5,
    ("llama-3.1-8b", "lora"): 0.66,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int = 4
    width: int = WIDTH
    warm_up: int = 6
    steps: int = 50
    block_seconds: float = 20.0


@dataclass
class Found:
    """One arm. Times in seconds, memory in bytes above what other models held, `step_seconds` of all blocks."""

    shape: str
    method: str
    way: str  # compiled, plain, or plain with peft's own adapters
    attention: str
    tokens_per_step: int
    context: float
    flops_per_token: float
    peak_memory: int = 0
    expected_memory: int = 0
    first_step_seconds: float = 0.0
    step_seconds: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)  # tokens a second of each

    def row(self, ceiling: float) -> dict[str, Any]:
        rate = statistics.median(self.blocks) if self.blocks else 0.0
        ordered = sorted(self.step_seconds)
        middle = statistics.median(ordered) if ordered else 0.0
        return {
            **{k: v for k, v in asdict(self).items() if k != "step_seconds"},
            "steps": len(ordered),
            "tokens_per_second": rate,
            "share_of_limit": rate * self.flops_per_token / ceiling,
            "limit": ceiling / self.flops_per_token,
            "goal": GOALS.get((self.shape, self.method)),
            "step_p50": middle,
            "step_p95": ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0,
            "estimate_error": self.expected_memory / self.peak_memory - 1 if self.peak_memory else None,
            "compile_seconds": max(0.0, self.first_step_seconds - middle) if self.way == "compiled" else 0.0,
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


class Trained:
    """A model with our trainer, which trains it in blocks, one way or another; the optimiser goes on from one to the next."""

    def __init__(self, shape: str, method: str, size: Size, folder: str) -> None:
        import torch

        from core import methods
        from core.schemas.plan import PreparationPlan
        from core.services.models import STARTER_FOLDER
        from core.training import arguments, device, hardware, loading, varlen
        from core.training.collators import LanguageCollator
        from core.training.phases import Phases
        from core.training.trainers import LanguageTrainer

        adapter = methods.get(method).adapter
        chosen = self.device = device.choose("auto", adapter)
        self.shape, self.method, self.size = shape, method, size
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
        by_example = varlen.runs_on(chosen) and varlen.adopt(self.trainer.model, chosen)
        self.trainer.data_collator = LanguageCollator(0, by_example=by_example)
        self.clock = step_clock(chosen)
        self.trainer.add_callback(self.clock)
        context = hardware.mean_context([n for row in documents(size) for n in row])
        self.common: dict[str, Any] = {
            "shape": shape, "method": method, "attention": "by example" if by_example else "SDPA",
            "tokens_per_step": size.rows * size.width, "context": context,
            "flops_per_token": hardware.flops_per_token(self.trainer.model, adapter, context),
            "expected_memory": expected_memory(shape, method, size, chosen.name),
        }  # fmt: skip
        self.ways: dict[str, Found] = {}
        self._layers: list[Any] = []

    def warm_up(self, way: str) -> None:
        """The first steps of a way: compiling, allocating, and the peak of memory."""
        import torch

        self.take(way)
        found = self.ways[way] = Found(way=way, **self.common)
        card = self.device.name == "cuda"
        if card:
            empty(self.device)
            torch.cuda.reset_peak_memory_stats()
        begun = time.perf_counter()
        self.train(1)
        if card:
            torch.cuda.synchronize()
        found.first_step_seconds = time.perf_counter() - begun
        self.train(self.size.warm_up)
        if card:
            found.peak_memory = torch.cuda.max_memory_reserved() - self.before
        self.pace = statistics.median(self.clock.seconds())

    def block(self, way: str) -> None:
        self.take(way)
        found = self.ways[way]
        pace = statistics.median(found.step_seconds) if found.step_seconds else self.pace
        self.train(1 + max(min(self.size.steps, 8), min(self.size.steps, int(self.size.block_seconds / pace))))
        times = self.clock.seconds()  # the first step ends where the clock begins
        found.step_seconds += times
        found.blocks.append(found.tokens_per_step * len(times) / sum(times))

    def take(self, way: str) -> None:
        from core.training import adapters, compiling, regional

        model = self.trainer.model
        if way == "compiled":
            if not self._layers:
                compiling.compile_layers(self.trainer)
                self._layers = [layer._compiled_call_impl for layer in regional.layers_of(model)]
            for layer, call in zip(regional.layers_of(model), self._layers, strict=True):
                layer._compiled_call_impl = call
            return
        for layer in regional.layers_of(model):
            layer._compiled_call_impl = None
        if way == "peft":  # nothing else comes after it
            adapters.as_peft_made_it(model)

    def train(self, steps: int) -> None:
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
    """Fewer rows where the estimate does not leave a tenth of the card's memory, beside the states of the other method."""
    methods_of = METHODS.get(shape, ALL_METHODS)
    held = 20 * facts_of(shape).parameters if len(methods_of) > 1 else 0
    while size.rows > 1 and max(expected_memory(shape, m, size, "cuda") for m in methods_of) > 0.9 * memory - held:
        size = replace(size, rows=size.rows // 2)
    return size


def measure(
    shape: str,
    size: Size,
    end: float,
    folder: str,
    told: Callable[[list[Found], dict[str, str]], None],
    profiles: Path | None = None,
) -> None:
    """All arms of a shape, until `end` on the monotonic clock: nothing but a first block begins later. `told` hears of every
    block, with what was left out and why. Beside `profiles` it is written where the time of compiled steps goes."""
    left_out: dict[str, str] = {}
    made: list[Trained] = []
    arms: list[tuple[Trained, str]] = []
    found: list[Found] = []

    def attempt(name: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:  # the others are measured all the same; a person reads why this one was not
            left_out[name] = f"{type(error).__name__}: {str(error)[:300]}"
            print(f"{name}: {left_out[name]}", flush=True)
        told(found, left_out)
        return name not in left_out

    for method in METHODS.get(shape, ALL_METHODS):
        if not attempt(f"{shape} {method}", lambda method=method: made.append(Trained(shape, method, size, folder))):  # type: ignore[misc]
            continue
        for way in BLOCKS:  # a first block of each at once: whatever comes later, this is known
            trained = made[-1]

            def first(trained: Trained = trained, way: str = way) -> None:
                trained.warm_up(way)
                found.append(trained.ways[way])
                trained.block(way)

            if attempt(f"{shape} {method} {way}", first):
                arms.append((trained, way))
    took: dict[tuple[str, str], float] = {}
    for number in range(1, 1 + max(max(turns) for turns in BLOCKS.values())):
        for trained, way in arms if number % 2 == 0 else reversed(arms):
            name = (trained.method, way)
            if number not in BLOCKS[way] or time.monotonic() + took.get(name, 0.0) > end:
                continue
            begun = time.monotonic()
            attempt(f"{shape} {trained.method} {way}, round {number}", lambda t=trained, w=way: t.block(w))  # type: ignore[misc]
            took[name] = time.monotonic() - begun
    for trained in made:
        if profiles and "compiled" in trained.ways:
            name = f"{profiles.stem}-{shape}-{trained.method}.txt"
            attempt(name, lambda t=trained, n=name: write(profiles.parent / n, profiled(t)))  # type: ignore[misc]
    for trained in made:
        if trained.method == "lora" and "plain" in trained.ways and time.monotonic() < end:

            def as_peft(trained: Trained = trained) -> None:
                trained.warm_up("peft")
                found.append(trained.ways["peft"])
                trained.block("peft")

            attempt(f"{shape} lora peft", as_peft)


def profiled(trained: Trained) -> str:
    """Where the time of three steps goes, as the profiler's table."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    card = trained.device.name == "cuda"
    trained.take("compiled")
    with profile(activities=[ProfilerActivity.CUDA if card else ProfilerActivity.CPU]) as seen:
        trained.train(3)
        if card:
            torch.cuda.synchronize()
    key = "self_cuda_time_total" if card else "self_cpu_time_total"
    return str(seen.key_averages().table(sort_by=key, row_limit=25, max_name_column_width=80))


def table(report: dict[str, Any]) -> str:
    """The report in Markdown."""
    lines = [
        f"# {report['device']}", "",
        f"Ceiling {report['ceiling'] / 1e12:.1f} TFLOP/s ({report['how']}). {report['minutes']:.1f} minutes. "
        + ", ".join(f"{name} {number}" for name, number in report["versions"].items()) + ".", "",
    ]  # fmt: skip
    for shape, found in report["correctness"].items():
        said = (
            f"loss {found['loss_difference']:.2%} off float32, gradients at a cosine of {found['gradient_cosine']:.4f}"
        )
        lines.append(f"- {shape}: {said}")
    lines += [f"- left out: {name}: {why}" for name, why in report["left_out"].items()]
    lines += [
        "",
        "| shape | method | way | attention | tokens/s | limit | share | goal | p50 ms | p95 ms | peak GB | estimate | compile s "
        "| blocks | steps |",
        "|" + "---|" * 15,
    ]
    for r in report["arms"]:
        off = "-" if r["estimate_error"] is None else f"{r['estimate_error']:+.0%}"
        goal = f"{r['goal']:.0%}" if r["goal"] else ""
        lines.append(
            f"| {r['shape']} | {r['method']} | {r['way']} | {r['attention']} | {r['tokens_per_second']:,.0f} | {r['limit']:,.0f} "
            f"| {r['share_of_limit']:.0%} | {goal} | {1000 * r['step_p50']:.1f} | {1000 * r['step_p95']:.1f} "
            f"| {r['peak_memory'] / 1e9:.1f} | {off} | {r['compile_seconds']:.1f} | {len(r['blocks'])} | {r['steps']} |"
        )
    return "\n".join(lines) + "\n"


def written(report: dict[str, Any], out: Path | None) -> None:
    if out is None:
        return
    write(out, json.dumps(report, indent=1) + "\n")
    write(out.with_suffix(".md"), table(report))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    real = [name for name in SHAPES if name != "tiny"]
    parser.add_argument("--shapes", nargs="+", choices=real, default=real)
    parser.add_argument("--minutes", type=float, default=8.0, help="for everything; a first block is always made")
    parser.add_argument("--json", type=Path, help="a table in Markdown is written beside it")
    parser.add_argument("--profile", action="store_true", help="also where the time of three compiled steps goes")
    parser.add_argument("--tiny", action="store_true", help="a toy, on any machine: does it all run?")
    options = parser.parse_args()
    begun = time.monotonic()
    import torch

    from core.training import device, hardware, regional

    if not torch.cuda.is_available() and not options.tiny:
        sys.exit("There is no NVIDIA graphics card here: nothing was measured. `--tiny` runs everything on a toy.")
    shapes, size = (["tiny"], Size(2, 64, 2, 3)) if options.tiny else (options.shapes, Size())
    if not torch.cuda.is_available():
        regional.compile_layers.__defaults__ = (
            "aot_eager",
        )  # no figure is meant here: all but the C++ compiler, which is slow
    chosen = device.choose("auto", True)
    ceiling, how = hardware.measured_ceiling(chosen)
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")}
    report: dict[str, Any] = {
        "device": chosen.title, "ceiling": ceiling, "how": how, "versions": versions | {"cuda": torch.version.cuda or "none"},
        "correctness": {}, "left_out": {}, "arms": [], "minutes": 0.0,
    }  # fmt: skip
    out = options.json or (None if options.tiny else RESULTS)
    earlier: list[dict[str, Any]] = []

    def told(found: list[Found], left_out: dict[str, str]) -> None:
        report["arms"] = earlier + [one.row(ceiling) for one in found if one.blocks]
        report["left_out"] |= left_out
        report["minutes"] = (time.monotonic() - begun) / 60
        written(report, out)

    for number, shape in enumerate(shapes):
        try:
            report["correctness"][shape] = correctness(shape, size)
        except Exception as error:  # a speed without it is worth little, but is not nothing
            report["left_out"][f"{shape} correctness"] = f"{type(error).__name__}: {str(error)[:300]}"
        left = begun + 60 * options.minutes - time.monotonic()
        share = TIME[shape] / sum(TIME[later] for later in shapes[number:])
        fitted = size if options.tiny else fitting(shape, replace(size, rows=ROWS[shape]), torch.cuda.mem_get_info()[1])
        with tempfile.TemporaryDirectory() as folder:
            measure(shape, fitted, time.monotonic() + share * left, folder, told, out if options.profile else None)
            earlier = list(report["arms"])
        empty(chosen)
    print(table(report))


if __name__ == "__main__":
    main()
