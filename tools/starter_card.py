"""Write the starter model's card and credits from its training record and the corpus manifest.

python tools/starter_card.py --corpus ../shared/data/starter_corpus
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = """---
model_name: Tunewell starter
summary: A very small English model that ships with Tunewell, so that everything works without a network.
language:
- en
license: cc-by-4.0
library_name: transformers
pipeline_tag: text-generation
tags:
- tunewell
---

# Tunewell starter

A Llama of {parameters:,} parameters ({layers} layers, width {hidden}, context {context} tokens, byte-level BPE of {vocabulary:,}
pieces with chat tokens), trained from nothing on public-domain novels, children's stories and short derived conversations. It
ships with Tunewell so that the whole journey works offline on any machine. It writes English sentences; it knows next to
nothing about the world, keeps no thread for long, and must not be used to answer anyone's questions as it is.

## Training

    {command}

{tokens:,} tokens seen in {minutes:.0f} minutes on one to two shared processor cores, without a graphics card;
{steps:,} steps of 8 sequences of 512 tokens, AdamW, constant learning rate with warm-up and a linear fall over the last 30%
of the time. During the fall half of each batch is conversations derived from the corpus: continue the story, use these
words, which word is missing, find the sentence, short dialogues and sums.

Held-out text (one document in 200, never trained on): **{bits:.3f} bits a byte**.

## Samples

Really generated (temperature 0.7, top-p 0.9, seed 3), not chosen:

{samples}

## Data

{sources}

Titles and authors of the CC BY texts: `credits.csv`. Old novels carry the views of their time; the model was not audited
for bias, and Tunewell's own audit compares every tuned model with it.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "assets" / "models" / "tunewell-starter")
    parser.add_argument("--minutes", type=float, default=115)
    args = parser.parse_args()
    record = json.loads((args.model / "training.json").read_text())
    config = json.loads((args.model / "config.json").read_text())
    with open(args.corpus / "manifest.csv", newline="", encoding="utf-8") as stream:
        used = [row for row in csv.DictReader(stream) if int(row["chars_simple"] or 0) > 0]
    characters: Counter[tuple[str, str]] = Counter()
    for row in used:
        characters[row["source"], " ".join(row["licence"].split())] += int(row["chars_simple"])
    sources = "\n".join(
        f"- {s} ({licence}): {n / 1e6:.1f} M characters" for (s, licence), n in characters.most_common()
    )
    credited = [row for row in used if row["licence"].startswith("CC BY")]
    with open(args.model / "credits.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["title", "author", "source", "licence"])
        writer.writerows([row["title"], row["author"], row["source"], row["licence"]] for row in credited)
    samples = "\n\n".join(f"> **{s['prompt']}** {s['text']}".replace("\n", "\n> ") for s in record["samples"])
    card = HEADER.format(
        parameters=record["parameters"],
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        context=config["max_position_embeddings"],
        vocabulary=config["vocab_size"],
        command=f"python tools/pretrain_starter.py --corpus ../shared/data/starter_corpus --minutes {args.minutes:.0f}",
        tokens=record["tokens"],
        minutes=record["seconds"] / 60,
        steps=record["step"],
        bits=record["held_out_bits_per_byte"],
        samples=samples,
        sources=sources,
    )
    (args.model / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
