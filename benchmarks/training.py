"""The speed of training against others on the same job, interleaved. Run by hand on an idle machine:

    python -m benchmarks.training [--pairs 7] [--rows 400] [--method full] [--threads 2] [--out benchmarks/results/training.json]
        [--llamafactory /path/to/its/environment]

Ragged chat data (the questions and answers of `../shared/data/alpaca_en_demo`), the starter model, float32 on the processor, the
same rows once, the same seed. The arms take turns (ABCD, DCBA, …), each in a fresh process:
- `ours`: `core.training.train`'s own trainer with packing and its recording of progress;
- `trl`: trl's SFTTrainer as its documentation starts it, batches of 8 rows, padded;
- `bare`: a PyTorch loop over the same packed batches, AdamW and nothing else;
- `llamafactory`: LLaMA-Factory as its examples start it, batches of 8 padded rows, in an environment of its own, for example
  `python3 -m venv /tmp/lf && /tmp/lf/bin/pip install llamafactory` (a processor alone needs torch's build for processors, and an
  empty module `torchaudio`, since that package loads libraries of CUDA).

Speed is real tokens (no padding) a second of processor time between the first and the last step. Printed: the median of each, the
ratios of ours with a 95% bootstrap interval over the pairs, and the loss on held-out rows afterwards, which has to be equal for
`ours` and `bare` (same batches) and close for the others (other batches). The file is written after every pair. Protocol:
shared/PERFORMANCE.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "alpaca_en_demo" / "alpaca_en_demo.json"
ARMS = ("ours", "trl", "bare", "llamafactory")
LENGTH = 512
HELD_OUT = 60
RATE = 1e-3
OTHER_PYTHON = "BENCHMARK_LLAMAFACTORY_PYTHON"  # of the other environment, for the arm's process


def examples(count: int) -> Any:
    from core.schemas.examples import Example, Message

    rows = json.loads(DATA.read_text(encoding="utf-8"))
    made = []
    for i, row in enumerate(rows):
        question = f"{row['instruction']}\n{row['input']}".strip()
        talk = (Message(role="user", content=question), Message(role="assistant", content=row["output"]))
        made.append(Example(row_id=str(i), messages=talk))
    return tuple(made[:count]), tuple(made[-HELD_OUT:])


def spec_of(folder: str, rows: int, method: str) -> Any:
    from core.schemas.plan import PreparationPlan
    from core.schemas.recipe import Recipe
    from core.schemas.training import TrainingSpec
    from core.services.models import STARTER_FOLDER

    train, held = examples(rows)
    # Packed sequences hold about four rows: two of them are a batch of eight rows, so that the arms make as many steps.
    recipe = Recipe(
        method=method, learning_rate=RATE, batch_size=2, epochs=1, scheduler="constant", warmup=0.0, weight_decay=0.0,
        lora_dropout=0.0, early_stopping=0,
    )  # fmt: skip
    return TrainingSpec(
        run_id="benchmark", family="causal-lm", folder=folder, base_folder=str(STARTER_FOLDER),
        plan=PreparationPlan(max_length=LENGTH, packing=True), recipe=recipe, train=train, validation=held,
    )  # fmt: skip


class Silent:
    """A recorder that keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        from core.schemas.jobs import Desired

        return lambda *_, **__: Desired.RUN if name == "wish" else set() if name == "pinned" else False


class Clock:
    """Processor and wall seconds between `start` and `stop`."""

    def start(self, *_: Any, **__: Any) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def stop(self, *_: Any, **__: Any) -> None:
        self.cpu, self.wall = time.process_time() - self.cpu, time.perf_counter() - self.wall


def timed(trainer: Any) -> Clock:
    from transformers import TrainerCallback

    clock = Clock()
    callback = type("Timed", (TrainerCallback,), {})()
    callback.on_train_begin, callback.on_train_end = clock.start, clock.stop
    trainer.add_callback(callback)
    return clock


def assembled(folder: str, rows: int, method: str) -> tuple[Any, Any]:
    """Our trainer for the job, and its spec."""
    from core.data.encoding import Codec
    from core.training.train import assembled as build

    spec = spec_of(folder, rows, method)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer, _, _ = build(spec, codec, Path(folder) / "checkpoints", Silent())
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    return trainer, spec


def held_out_loss(trainer: Any, model: Any) -> float:
    """Loss a token on the held-out rows, by our exact evaluation, whoever trained the model."""
    from core.training import token_loss

    model.eval()
    if trainer.model is not model:
        trainer.model = trainer.model_wrapped = model
        trainer._at_tokens = token_loss.teach(model)
    return float(trainer.evaluate(trainer.eval_dataset["validation"])["eval_loss"])


def ours(folder: str, rows: int, method: str) -> dict[str, float]:
    from core.training import device
    from core.training.callbacks import Progress
    from core.training.hardware import Limit, Usage

    trainer, _ = assembled(folder, rows, method)
    usage = Usage(device.choose("float32", False))
    trainer.phases.start()
    limit = Limit(1.0, 1.0, "", False)
    trainer.add_callback(Progress(Silent(), lambda: float(trainer.tokens_seen), trainer.phases, limit, usage.read))
    clock = timed(trainer)
    trainer.args.eval_strategy = "no"
    trainer.train()
    tokens, steps = float(trainer.tokens_seen), trainer.state.global_step
    return {
        "tokens": tokens,
        "steps": steps,
        "cpu": clock.cpu,
        "wall": clock.wall,
        "loss": held_out_loss(trainer, trainer.model),
    }


def bare(folder: str, rows: int, method: str) -> dict[str, float]:
    import torch

    trainer, _ = assembled(folder, rows, method)
    model = trainer.model
    batches = list(trainer.get_train_dataloader())
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.0)
    model.train()
    clock, tokens = Clock(), 0
    clock.start()
    for batch in batches:
        count = (batch["labels"][:, 1:] != -100).sum()
        given = {k: v for k, v in batch.items() if k in ("input_ids", "labels", "position_ids", "attention_mask")}
        loss = model(**given, num_items_in_batch=count).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += batch["real_tokens"]
    clock.stop()
    return {
        "tokens": tokens,
        "steps": len(batches),
        "cpu": clock.cpu,
        "wall": clock.wall,
        "loss": held_out_loss(trainer, model),
    }


def trl(folder: str, rows: int, method: str) -> dict[str, float]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    reference, spec = assembled(folder, rows, method)
    talks = [{"messages": [m.model_dump(include={"role", "content"}) for m in e.messages]} for e in spec.train]
    config = SFTConfig(
        output_dir=folder, learning_rate=RATE, num_train_epochs=1, per_device_train_batch_size=8, max_length=LENGTH,
        assistant_only_loss=False, use_cpu=True, bf16=False, report_to="none", save_strategy="no", lr_scheduler_type="constant",
        seed=spec.recipe.seed, disable_tqdm=True,
    )  # fmt: skip
    peft = None
    if method == "lora":
        peft = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear")
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(spec.base_folder, dtype="float32", use_safetensors=True), args=config,
        train_dataset=Dataset.from_list(talks), peft_config=peft,
        processing_class=AutoTokenizer.from_pretrained(spec.base_folder),
    )  # fmt: skip
    clock = timed(trainer)
    trainer.train()
    tokens = sum(len(ids) for ids in trainer.train_dataset["input_ids"])
    found = {"tokens": tokens, "steps": trainer.state.global_step, "cpu": clock.cpu, "wall": clock.wall}
    return {**found, "loss": held_out_loss(reference, trainer.model)}


def measured(arm: str, options: argparse.Namespace) -> dict[str, float]:
    """One run in a fresh process."""
    threads = str(options.threads)
    variables = {**os.environ, "OMP_NUM_THREADS": threads, "TUNEWELL_THREADS": threads, "HF_HUB_OFFLINE": "1"}
    command = [
        sys.executable,
        "-m",
        "benchmarks.training",
        "--arm",
        arm,
        "--rows",
        str(options.rows),
        "--method",
        options.method,
    ]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{arm} failed:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def llamafactory(folder: str, rows: int, method: str) -> dict[str, float]:
    """Its own process trains; the model that it leaves is then judged like the others."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    reference, spec = assembled(folder, rows, method)
    talks = [{"messages": [m.model_dump(include={"role", "content"}) for m in e.messages]} for e in spec.train]
    (Path(folder) / "rows.json").write_text(json.dumps(talks), encoding="utf-8")
    job = {
        "folder": folder, "base": spec.base_folder, "method": method, "length": LENGTH, "rate": RATE, "seed": spec.recipe.seed,
    }  # fmt: skip
    (Path(folder) / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [os.environ[OTHER_PYTHON], str(Path(__file__).parent / "arms" / "llama_factory.py"), f"{folder}/job.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        sys.exit(done.stdout[-1000:] + done.stderr[-3000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    where = f"{folder}/model"
    if method == "lora":
        model: Any = PeftModel.from_pretrained(reference.model.get_base_model(), where)
    else:
        model = AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, use_safetensors=True)
    return {**found, "loss": held_out_loss(reference, model)}


def ratio(ours_: list[float], other: list[float]) -> str:
    """Median ratio over the pairs with a 95% percentile bootstrap interval."""
    pairs = np.array(ours_) / np.array(other)
    draws = np.random.default_rng(0).choice(pairs, (2_000, len(pairs)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return f"{np.median(pairs):.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--method", choices=["full", "lora"], default="full")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--llamafactory", type=Path, help="the folder of its environment")
    parser.add_argument("--arm", choices=ARMS)
    options = parser.parse_args()
    if options.arm:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(globals()[options.arm](folder, options.rows, options.method)))
        return
    arms = ARMS if options.llamafactory else ARMS[:-1]
    if options.llamafactory:
        os.environ[OTHER_PYTHON] = str(options.llamafactory / "bin" / "python")
    runs: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for i in range(options.pairs):
        for arm in arms if i % 2 == 0 else reversed(arms):
            runs[arm].append(measured(arm, options))
        if options.out:
            keep(options, runs)
    show(options, runs)


def keep(options: argparse.Namespace, runs: dict[str, list[dict[str, Any]]]) -> None:
    said = {name: value for name, value in vars(options).items() if name not in ("out", "arm", "llamafactory")}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"options": said, "runs": runs}, indent=1) + "\n", encoding="utf-8")


def show(options: argparse.Namespace, runs: dict[str, list[dict[str, Any]]]) -> None:
    speed = {arm: [run["tokens"] / run["cpu"] for run in found] for arm, found in runs.items()}
    print(f"{options.method}, {options.rows} rows, {options.pairs} pairs, {options.threads} threads")
    print(f"{'arm':<13}{'tokens':>9}{'steps':>7}{'wall s':>8}{'cpu s':>8}{'tokens/cpu s':>14}{'loss':>8}")
    for arm, found in runs.items():
        middle = {
            key: statistics.median(run[key] for run in found) for key in ("tokens", "steps", "wall", "cpu", "loss")
        }
        line = f"{arm:<13}{middle['tokens']:>9,.0f}{middle['steps']:>7.0f}{middle['wall']:>8.1f}{middle['cpu']:>8.1f}"
        print(f"{line}{statistics.median(speed[arm]):>14,.0f}{middle['loss']:>8.3f}")
    for arm in list(runs)[1:]:
        print(f"ours over {arm}: {ratio(speed['ours'], speed[arm])}")


if __name__ == "__main__":
    main()
