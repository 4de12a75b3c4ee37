"""How often the audit of the data finds something where there is nothing: random datasets without any bias.

    python -m benchmarks.false_alarms [--datasets 100] [--rows 600]

Each dataset names people along several axes by words and by two columns, holds friendly and unfriendly words, and has 2 to 6
labels of uneven frequency; everything is drawn apart from everything else. Prints the datasets with any flag and what it was.
`tests/test_data_audit.py` runs a few of them.
"""

from __future__ import annotations

import argparse
import random
import time

from core.audits.data_coverage import PLUGIN, Config
from core.schemas.audits import AuditInput, AuditResult
from core.schemas.examples import Example
from core.schemas.findings import Severity

PEOPLE = ("woman", "man", "customer", "neighbour", "teacher", "student")
WORDS = (
    "black", "white", "Asian", "Muslim", "Christian", "Jewish", "Hindu", "German", "French", "young", "elderly", "deaf", "blind",
    "gay", "homeless", "wealthy", "local", "new", "tall",
)  # fmt: skip
DEEDS = ("wrote to us", "called again", "asked for a refund", "came by", "signed the form", "sent a photo")
TONES = ("kind", "polite", "reliable", "rude", "lazy", "angry", "there", "early", "alone", "at home")


def unbiased(seed: int, rows: int) -> AuditInput:
    """One dataset; the seed is all that it depends on."""
    draw = random.Random(seed)
    labels = [f"label {k}" for k in range(draw.randint(2, 6))]
    weights = [draw.uniform(0.3, 1) for _ in labels]
    examples, columns = [], {"region": {}, "office": {}, "channel": {}}  # type: dict[str, dict[str, str]]
    values = {"region": "north south".split(), "office": list("ABCDE"), "channel": "mail phone shop".split()}
    for i in range(rows):
        text = f"The {draw.choice(WORDS)} {draw.choice(PEOPLE)} was {draw.choice(TONES)} and {draw.choice(DEEDS)}, case {i}."
        examples.append(Example(row_id=str(i), text=text, label=draw.choices(labels, weights)[0]))
        for name, options in values.items():
            columns[name][str(i)] = draw.choice(options)
    groups = {name: columns[name] for name in ("region", "office")}
    return AuditInput(examples, groups=groups, categories={"channel": columns["channel"]})


def alarms(result: AuditResult) -> list[str]:
    return [finding.title for finding in result.findings if finding.severity is Severity.WARNING]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100)
    parser.add_argument("--rows", type=int, default=600)
    given = parser.parse_args()
    started, raised = time.perf_counter(), 0
    for seed in range(given.datasets):
        found = alarms(PLUGIN.run(unbiased(seed, given.rows), Config()))
        raised += bool(found)
        for title in found:
            print(f"{seed}: {title}", flush=True)
    print(f"{raised} of {given.datasets} datasets raised a flag, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
