"""Which languages the texts are in, whether one is there that was not meant to be, and whether one goes with a label."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from core.schemas.findings import Finding, Severity

from ..group_rates import exact_p
from ..statistics import benjamini_hochberg, cohens_h, newcombe_difference, wilson
from ._check import ALL, Check, plural, visible
from ._context import Context
from ._language import SHORTEST, name_of

MIXED, MIXED_ROWS = 0.05, 5  # share and number of texts from which another language is mentioned (house thresholds)
FEWEST = 20  # texts of a label from which its mix of languages is judged
EFFECT, Q = 0.5, 0.05  # Cohen's h (a medium effect) and q from which a label counts as tied to a language


def run(context: Context) -> list[Finding]:
    known = context.languages
    total = len(known.found)
    if not total:
        return []
    basis = f"Judged on {plural(total, 'text')} of at least {SHORTEST} characters."
    main = known.main
    if main is None:
        return [
            Finding(
                check="languages",
                severity=Severity.INFO,
                title="The language of the texts could not be told",
                meaning=f"They may be too short, in a rare language, or mostly numbers, names and signs. {basis}",
                fix="Choose a base model whose languages you know to fit.",
                count=total,
            )
        ]
    counts = known.counts
    chart = {"shares": {code: round(counts[code] / total, 4) for code in list(counts)[:12]}}
    data: dict[str, Any] = {"language": main, "chart": chart, "names": {c: name_of(c) for c in chart["shares"]}}
    sure: dict[str, list[int]] = defaultdict(list)
    for i in known.found:
        if known.surely_other(i):
            sure[known.found[i][0]].append(i)
    others = {c: r for c, r in sure.items() if len(r) >= max(MIXED_ROWS, MIXED * total)}
    others = dict(sorted(others.items(), key=lambda item: -len(item[1])))
    if not others:
        return [
            Finding(
                check="languages",
                severity=Severity.GOOD,
                title=f"The texts are in {name_of(main)}",
                meaning=f"Choose a base model that knows this language. {basis}",
                count=counts[main],
                estimate=wilson(counts[main], total),
                data=data,
            )
        ]
    rows = sorted(i for group in others.values() for i in group)
    words = ", ".join(f"{len(r) / total:.0%} {name_of(c)}" for c, r in list(others.items())[:4])
    evidence = {context.row_ids[i]: name_of(known.found[i][0]) for i in rows[:200]}
    mixed = Finding(
        check="languages",
        severity=Severity.WARNING,
        title=f"Mostly {name_of(main)}, but also {words}",
        meaning="A base model that does not know all of these languages learns little from those rows. " + basis,
        fix="If this is intended, choose a base model for several languages. Otherwise remove the rows.",
        count=len(rows),
        row_ids=context.ids(rows),
        estimate=wilson(len(rows), total),
        data=data
        | {
            "others": {c: len(r) for c, r in others.items()},
            "evidence": evidence,
            "fix_key": "drop_rows",
            "fix_options": {"rows": [context.row_ids[i] for i in rows]},
        },
    )
    return [mixed, *_by_label(context, others)]


def _by_label(context: Context, others: dict[str, list[int]]) -> list[Finding]:
    """Labels whose share of another language is far from that of the other labels."""
    if context.shape != "labels" or context.labels_look_unique:
        return []
    judged = [i for i in context.languages.found if context.classes[i]]
    of_class = Counter(context.classes[i] for i in judged)
    tests: list[tuple[str, str, int, int, int, int, float]] = []
    for code, rows in others.items():
        inside = Counter(context.classes[i] for i in rows if context.classes[i])
        for label, n in of_class.items():
            rest, other = len(judged) - n, inside.total() - inside[label]
            if n >= FEWEST and rest >= FEWEST:
                p = exact_p(inside[label], n, other, rest)
                tests.append((code, label, inside[label], n, other, rest, p))
    adjusted = benjamini_hochberg([test[-1] for test in tests])
    flagged = [
        (test, q)
        for test, q in zip(tests, adjusted, strict=True)
        if q < Q and cohens_h(test[2] / test[3], test[4] / test[5]) >= EFFECT
    ]
    if not flagged:
        return []
    (code, label, hits, n, other, rest, _), _ = max(flagged, key=lambda f: f[0][2] / f[0][3] - f[0][4] / f[0][5])
    rows = [i for i in others[code] if context.classes[i] == label]
    more = f" The same holds for {plural(len(flagged) - 1, 'more label')}." if len(flagged) > 1 else ""
    return [
        Finding(
            check="languages",
            severity=Severity.WARNING,
            title=f"{name_of(code)} goes with the label “{visible(label)}”: {hits / n:.0%} of its texts, {other / rest:.0%} "
            "of the others",
            meaning="The model can learn the label from the language instead of what is said, and will be wrong about a text in "
            f"{name_of(code)} with another label.{more}",
            fix="Add texts in that language to the other labels, or keep to one language.",
            count=hits,
            row_ids=context.ids(rows),
            estimate=newcombe_difference(hits, n, other, rest),
            data={"unit": "points", "labels": [[test[0], test[1]] for test, _ in flagged][:50]},
        )
    ]


PLUGIN = Check("languages", "Languages", 55, ALL, run)
