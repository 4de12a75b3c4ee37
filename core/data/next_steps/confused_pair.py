"""Two labels that are taken for one another: merge them, or look at the training rows on the border between them."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

FEWEST, SHARE = 5, 0.1
"""Errors between two labels, and their share of all errors, from which they are told (house defaults)."""
TOLD = 2


def run(evidence: Evidence) -> list[NextStep]:
    result = evidence.result
    if result.family != "classifier" or len(result.labels) < 3:
        return []  # with two labels every error is between them
    pairs = []
    for i, a in enumerate(result.labels):
        for j in range(i + 1, len(result.labels)):
            count = result.matrix[i][j] + result.matrix[j][i]
            if count >= max(FEWEST, SHARE * evidence.wrong):
                pairs.append((count, a, result.labels[j]))
    pairs.sort(reverse=True)
    return [_step(evidence, *pair) for pair in pairs[:TOLD]]


def _step(evidence: Evidence, count: int, a: str, b: str) -> NextStep:
    border = [near for near in evidence.near if {near.gold, near.said} == {a, b}]
    rows = tuple(dict.fromkeys(near.train_id for near in border if near.label in (a, b)))
    settings: dict[str, object] = {"fix": "merge_labels", "options": {"mapping": {b: a}}}
    button = "See what merging would do"
    if rows:
        settings = {"queue": list(rows), "title": f"Between {a} and {b}"}
        button = f"See {len(rows)} training rows"
    return NextStep(
        rule="confused_pair",
        title=f"{count} of {evidence.wrong} errors are between “{a}” and “{b}”",
        text="Where people would not tell them apart either, merge the two. Else look at the training rows nearest to these "
        "errors: a wrong label there teaches the mistake. Test rows stay as they are.",
        button=button,
        target="dataset",
        settings={**settings, "merge": {b: a}},
        gain=float(count),
        row_ids=tuple(near.row_id for near in border),
    )


PLUGIN = Rule("confused_pair", run)
