"""Personal data in the texts: addresses, numbers and keys that a model could repeat to anyone."""

from __future__ import annotations

from collections import defaultdict

from core.schemas.findings import Finding, Severity

from ..personal_data import KINDS, find_all
from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context


def run(context: Context) -> list[Finding]:
    total = context.rows
    if not total:
        return []
    rows: dict[str, list[int]] = defaultdict(list)
    sample: dict[str, str] = {}
    evidence: dict[str, str] = {}
    for i, text in enumerate(context.texts):
        for key, found in find_all(text).items():
            rows[key].append(i)
            if len(evidence) < 200:
                evidence.setdefault(context.row_ids[i], f"{key}: {masked(found)}")
            sample.setdefault(key, masked(found))
    affected = sorted({i for found in rows.values() for i in found})
    titles = {kind.key: kind.title for kind in KINDS}
    if not affected:
        return [
            Finding(
                check="personal_data",
                severity=Severity.GOOD,
                title=f"No personal data found in {plural(total, 'row')}",
                meaning="Looked for e-mail, phone, card, bank, social security and internet addresses, keys, street "
                "addresses and dates of birth. Names of people are not looked for.",
                estimate=wilson(0, total),
                data={"counts": {"personal_data": 0}},
            )
        ]
    kinds = sorted(rows, key=lambda key: -len(rows[key]))
    words = ", ".join(f"{titles[key]} ({len(rows[key]):,})" for key in kinds)
    return [
        Finding(
            check="personal_data",
            severity=Severity.WARNING,
            title=f"{plural(len(affected), 'row')} seem to contain personal data: {words}",
            meaning="A model can repeat what it was trained on, to anyone who asks. In many countries the people "
            "concerned must agree to this use first.",
            fix="Replace what identifies a person by a word such as [email] before training. Found by patterns: look at the "
            "rows, some may be harmless.",
            count=len(affected),
            row_ids=context.ids(affected),
            estimate=wilson(len(affected), total),
            data={
                "fix_key": "mask_personal_data",
                "evidence": evidence,
                "counts": {"personal_data": len(affected)},
                "chart": {"kinds": {titles[key]: len(rows[key]) for key in kinds}},
                "samples": {titles[key]: sample[key] for key in kinds},
                "rows": {key: list(context.ids(rows[key]))[:50] for key in kinds},
            },
        )
    ]


def masked(text: str) -> str:
    """The first two characters and dots, so that the report itself does not spread what it found."""
    return text[:2] + "•" * min(12, max(0, len(text) - 2))


PLUGIN = Check("personal_data", "Personal data", 65, ALL, run, "People")
