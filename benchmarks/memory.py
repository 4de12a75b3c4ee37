"""The estimate of memory, before and after the dry run, against the peak of a whole training. Run by hand:

    python -m benchmarks.memory [--out benchmarks/results/memory.json] [--only TEXT]

A fresh process for each configuration (a training of two steps on ragged rows with evaluations and a checkpoint). Prints a
table: what `core.data.cost` expects, what the dry run measured, what the training needed (peak resident set on a CPU), and
the errors of both. Rows marked * are the ones on which the factors of the estimate were
fitted; the models of the others have another shape.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from core import methods
from core.data import cost, hardware
from core.data.model_facts import read_facts
from core.schemas.examples import Example, Message
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.services.models import STARTER_FOLDER

WORDS = "the parcel with a blue lamp has not arrived and nobody answers the telephone when I call about it ".split()
FITTED = ("starter", "t5")  # models on whose rows factors of the estimate were fitted
What = dict[str, object]


def configurations() -> list[What]:
    def of(base: str, family: str, *shapes: tuple[int, int], **recipe: object) -> list[What]:
        return [{"base": base, "family": family, "batch_size": b, "length": n, **recipe} for b, n in shapes]

    full, lora = {"method": "full"}, {"method": "lora"}
    return [
        *of("t5", "seq2seq", (4, 128), (8, 256), **full),
        *of("t5", "seq2seq", (8, 256), **lora),
        *of("t5", "seq2seq", (8, 256), frozen_layers=4, **full),
        *of("bart", "seq2seq", (8, 256), **full),
        *of("wide", "causal-lm", (8, 256), **full),
        *of("wide", "causal-lm", (8, 256), frozen_layers=3, **full),
        *of("starter", "causal-lm", (8, 512), **full),
        *of("starter", "causal-lm", (8, 512), frozen_layers=2, **full),
        *of("starter", "causal-lm", (8, 512), **lora),
        *of("starter", "classifier", (8, 512), **full),
        *of("wide", "causal-lm", (8, 256), **lora),
        *of("wide", "classifier", (8, 256), **full),
        *of("bart", "seq2seq", (4, 128), **full),
        *of("bart", "seq2seq", (8, 256), **lora),
        *of("starter", "causal-lm", (8, 512), activation_checkpointing=True, **full),
    ]


def build(kind: str, folder: Path) -> Path:
    """A random model with the starter's tokenizer: a Llama of 15 million weights, a T5 of 12, or a BART of 23."""
    import torch
    from transformers import (
        AutoTokenizer,
        BartConfig,
        BartForConditionalGeneration,
        LlamaConfig,
        LlamaForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
    )

    torch.manual_seed(0)
    ends = {"vocab_size": 4096, "pad_token_id": 2, "eos_token_id": 0, "decoder_start_token_id": 2}
    model: torch.nn.Module
    if kind == "wide":
        shape = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "head_dim": 64}
        model = LlamaForCausalLM(LlamaConfig.from_pretrained(STARTER_FOLDER, **shape))
    elif kind == "t5":
        model = T5ForConditionalGeneration(
            T5Config(d_model=256, d_kv=64, d_ff=1024, num_layers=6, num_decoder_layers=6, num_heads=4, **ends)
        )
    else:
        model = BartForConditionalGeneration(
            BartConfig(
                d_model=384, encoder_layers=4, decoder_layers=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536,
                encoder_attention_heads=6, decoder_attention_heads=6, max_position_embeddings=512, **ends,
            )
        )  # fmt: skip
    model.save_pretrained(folder)  # type: ignore[operator]
    AutoTokenizer.from_pretrained(STARTER_FOLDER).save_pretrained(folder)
    return folder


def _rows(family: str, count: int, length: int) -> tuple[Example, ...]:
    """Rows of a fifth of the length and more; one in eight is longer than the length."""
    source = random.Random(0)
    out = []
    for n in range(count):
        words = length if n % 8 == 0 else source.randint(length // 8, length * 2 // 3)
        text = f"{n} " + " ".join(source.choice(WORDS) for _ in range(words))
        pair = (Message(role="user", content=text), Message(role="assistant", content=text))
        out.append(
            Example(row_id=str(n), messages=pair)
            if FAMILIES[family].pairs
            else Example(row_id=str(n), text=text, label="ab"[n % 2] if family == "classifier" else None)
        )
    return tuple(out)


def spec_of(what: What, folder: str, base: str) -> TrainingSpec:
    length, family = int(str(what["length"])), str(what["family"])
    recipe = Recipe.model_validate(
        {k: v for k, v in what.items() if k not in ("family", "length", "base")}
        | {"epochs": 1, "evaluations_per_epoch": 1}
    )
    rows = _rows(family, 2 * recipe.batch_size, length)
    return TrainingSpec(
        run_id="memory",
        family=family,
        folder=folder,
        base_folder=base,
        plan=PreparationPlan(max_length=length, packing=False),
        recipe=recipe,
        labels=("a", "b") if family == "classifier" else (),
        train=rows,
        validation=rows[: 2 * recipe.batch_size],
    )


class _Quiet:
    """A recorder that keeps nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: "run" if name == "wish" else set() if name == "pinned" else False


def measure_one(what: What, base: str) -> None:
    """Both in one process, whose peak is set back between them: importing the libraries takes longer than the steps."""
    import torch  # noqa: F401  as in a job, before anything is measured

    from core.training.dry_run import measure
    from core.training.train import train

    peaks = []
    before = psutil.Process().memory_info().rss
    for work in (measure, train):
        with tempfile.TemporaryDirectory() as folder:
            work(spec_of(what, folder, base), _Quiet())  # type: ignore[arg-type, operator]
        peaks.append(_peak())
        _set_back()
    print("RESULT", *peaks, psutil.Process().memory_info().rss - before)


def _peak() -> int:
    """Peak resident set in bytes since it was set back (Linux)."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _set_back() -> None:
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # man 5 proc: resets the peak resident set


def _in_a_fresh_process(what: What, base: Path) -> tuple[int, int]:
    command = [sys.executable, "-m", "benchmarks.memory", "--one", json.dumps(what), "--base", str(base)]
    done = subprocess.run(command, capture_output=True, text=True)
    line = next((x for x in done.stdout.splitlines() if x.startswith("RESULT ")), "")
    if not line:
        sys.exit(done.stderr[-3000:])
    dry, whole, left = map(int, line.split()[1:])
    print(f"  left behind after both: {left / 2**20:.0f} M", file=sys.stderr)
    return dry, whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="configurations whose JSON holds this text")
    parser.add_argument("--again", type=Path, help="only work the estimates out anew for the measurements of this file")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        measure_one(json.loads(arguments.one), arguments.base)
        return
    machine = hardware.look()
    kept = json.loads(arguments.again.read_text())["rows"] if arguments.again else []
    measured = {json.dumps(r["what"]): (r["dry_run"], r["training"]) for r in kept}
    with tempfile.TemporaryDirectory() as folder:
        bases = {"starter": STARTER_FOLDER}
        rows = []
        print(
            f"{'method':10}{'model':9}{'task':11}{'batch x length':>15}",
            "   expected   dry run  training   before  after",
        )
        for what in configurations():
            text = json.dumps(what)
            if arguments.only not in text or (kept and text not in measured):
                continue
            name = str(what["base"])
            bases.setdefault(name, build(name, Path(folder) / name) if name not in bases else bases[name])
            if text not in measured:
                measured[text] = _in_a_fresh_process(what, bases[name])
            recipe = spec_of(what, "", str(bases[name])).recipe
            facts = read_facts(bases[name], "model", "folder").model_copy(update={"folder": ""})
            expected = cost.fit(
                facts,
                recipe,
                methods.get(recipe.method),
                int(str(what["length"])),
                FAMILIES[str(what["family"])].reads,
                machine,
            ).needed
            dry, whole = measured[text]
            rows.append(
                {
                    "what": what,
                    "fitted": name in FITTED,
                    "expected": expected,
                    "dry_run": dry,
                    "training": whole,
                    "facts": facts.model_dump(mode="json"),
                }
            )
            _print(rows[-1])
            if arguments.out:
                arguments.out.write_text(json.dumps({"machine": machine.title, "rows": rows}, indent=1))
    for title, chosen in (("fitted", True), ("not fitted", False)):
        own = [r for r in rows if r["fitted"] is chosen]
        for moment in ("expected", "dry_run"):
            errors = sorted(abs(r[moment] / r["training"] - 1) for r in own)  # type: ignore[operator]
            if errors:
                print(
                    f"{title} rows, {moment}: median error {errors[len(errors) // 2]:.1%}, worst {errors[-1]:.1%}, "
                    f"within 10%: {sum(e <= 0.1 for e in errors)} of {len(errors)}"
                )


def _print(row: dict[str, object]) -> None:
    what: What = row["what"]  # type: ignore[assignment]
    extra = "+" if "activation_checkpointing" in what else "-" if "frozen_layers" in what else ""
    sizes = [float(str(row[key])) for key in ("expected", "dry_run", "training")]
    print(
        f"{str(what['method']) + extra:10}{what['base']}{'*' if row['fitted'] else '':3} {what['family']:11}"
        f"{what['batch_size']:>6} x {what['length']:<6}",
        *(f"{size / 2**20:7.0f} M" for size in sizes),
        f"{100 * (sizes[0] / sizes[2] - 1):7.1f}% {100 * (sizes[1] / sizes[2] - 1):5.1f}%",
        flush=True,
    )


if __name__ == "__main__":
    main()
