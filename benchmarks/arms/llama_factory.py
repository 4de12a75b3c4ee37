"""LLaMA-Factory's own training of a job, run by the Python of its own environment (`benchmarks/training.py --llamafactory`).

    VENV/bin/python benchmarks/arms/llama_factory.py JOB.json

JOB.json has `folder` (with `rows.json` in it), `base`, `method`, `length`, `rate` and `seed`. Its defaults are kept wherever
the job does not say otherwise (batches of 8 padded rows, activations computed twice). The model is left in `folder`/model.
Prints one JSON object: real tokens, steps, processor and wall seconds between the first and the last step, versions.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    info = {
        "rows": {"file_name": "rows.json", "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    }
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")

    from llamafactory.train.tuner import run_exp
    from transformers import TrainerCallback

    found: dict[str, Any] = {}

    class Timed(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self.cpu, self.wall = time.process_time(), time.perf_counter()

        def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            found.update(
                cpu=time.process_time() - self.cpu, wall=time.perf_counter() - self.wall, steps=state.global_step
            )
            rows = given["train_dataloader"].dataset
            found["tokens"] = sum(len(ids) for ids in rows["input_ids"])

    arguments = {
        "stage": "sft", "do_train": True, "model_name_or_path": job["base"], "dataset": "rows", "dataset_dir": str(folder),
        "finetuning_type": job["method"], "output_dir": str(folder / "model"), "overwrite_output_dir": True,
        "cutoff_len": job["length"], "per_device_train_batch_size": 8, "learning_rate": job["rate"],
        "num_train_epochs": 1, "lr_scheduler_type": "constant", "seed": job["seed"], "use_cpu": True, "bf16": False,
        "fp16": False, "report_to": "none", "save_strategy": "no", "plot_loss": False, "logging_steps": 5,
        "disable_tqdm": True, "overwrite_cache": True,
    }  # fmt: skip
    if job["method"] == "lora":
        arguments |= {"lora_rank": 16, "lora_alpha": 32, "lora_dropout": 0.0, "lora_target": "all"}
    run_exp(arguments, callbacks=[Timed()])
    found["versions"] = {name: version(name) for name in ("llamafactory", "torch", "transformers", "trl", "peft")}
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
