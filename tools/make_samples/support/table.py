"""The table of customer messages and the list of its planted flaws, as the bytes of two files."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from datetime import date, timedelta

from .compose import compose
from .flaws import CONTRADICTING, EMPTY, EXACT, NEAR, PERSONAL, STRAY, Row, plant

COLUMNS = ("id", "message", "category", "channel", "received")
# Composed messages in each category, before the planted rows; the rarest has half as many as the most frequent one.
COUNTS = {"Delivery": 322, "Returns": 283, "Billing": 252, "Product": 236, "Account": 203, "Website": 164}
FIRST_DAY, DAYS = date(2025, 1, 2), 360


def make(seed: int) -> tuple[bytes, bytes]:
    """The CSV file and the JSON file {flaw: [ids]}; for a repeat the id of the later row, for a contradiction both."""
    rng = random.Random(f"{seed}:support")
    rows = plant(compose(rng, COUNTS), rng)
    dated = sorted(_dated(rows, rng), key=lambda entry: entry[0])
    flaws: defaultdict[str, list[str]] = defaultdict(list)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, (day, row) in enumerate(dated, start=1):
        name = f"M{number:04d}"
        writer.writerow((name, row.message, row.category, row.channel, day.isoformat()))
        if row.flaw:
            flaws[row.flaw].append(name)
    ordered = {flaw: flaws[flaw] for flaw in (EXACT, NEAR, CONTRADICTING, STRAY, EMPTY, PERSONAL)}
    return out.getvalue().encode(), (json.dumps(ordered, indent=2) + "\n").encode()


def _dated(rows: list[Row], rng: random.Random) -> list[tuple[date, Row]]:
    """A day of arrival for each row; a repeat comes one to three days after its original."""
    days: dict[int, date] = {}
    for row in rows:
        earlier = days.get(id(row.after))
        later = timedelta(days=rng.randrange(1, 4))
        days[id(row)] = earlier + later if earlier else FIRST_DAY + timedelta(days=rng.randrange(DAYS))
    return [(days[id(row)], row) for row in rows]
