"""Writes the sample files: `python -m tools.make_samples [--output FOLDER] [--seed N]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import SEED
from .log import texts
from .shop import questions
from .support import table

SAMPLES = Path(__file__).resolve().parents[2] / "assets" / "samples"


def files(seed: int) -> dict[str, bytes]:
    """The content of every generated file by its name."""
    messages, flaws = table.make(seed)
    return {
        "support_messages.csv": messages,
        "support_messages_flaws.json": flaws,
        "shop_questions.jsonl": questions.make(seed),
        "style_texts.jsonl": texts.make(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=SAMPLES, help="folder to write to (default: assets/samples)")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other files than the shipped")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, content in files(options.seed).items():
        (options.output / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
