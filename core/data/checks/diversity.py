"""How varied the texts are, beside the earlier versions of the project's data."""

from __future__ import annotations

from typing import Any

from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity

from ..diversity import TEXTS, TITLES, measure
from ._check import ALL, Check
from ._context import Context

LOW_VENDI = 0.1  # of the texts of a draw: below it most say the same in other words (house threshold)
ROWS = 20_000  # texts that are read; of more, every k-th


def run(context: Context) -> list[Finding]:
    step = max(1, context.rows // ROWS)
    found = measure(context.texts[::step][:ROWS])
    if not found:
        return []
    measures = {name: estimate.model_dump(include={"value", "low", "high", "n"}) for name, estimate in found.items()}
    data: dict[str, Any] = {
        "measures": measures,
        "unit": "texts",
        "chart": {
            "titles": TITLES,
            "versions": [{"number": e.number, "measures": dict(e.measures)} for e in context.around.earlier],
            "now": measures,
        },
    }
    vendi = found["vendi"]
    words = (
        f"{found['distinct_1'].value:.0%} of the words and {found['distinct_2'].value:.0%} of the word pairs in {TEXTS} texts "
        f"are different ones; compression makes them {found['compression'].value:.1f} times smaller; they are as varied as "
        f"{vendi.value:.0f} wholly different texts."
    )
    less = _less_than_before(context, found)
    if less:
        return [
            Finding(
                check="diversity",
                severity=Severity.INFO,
                title=f"The texts are less varied than in version {less[0]}: {', '.join(less[1])}",
                meaning=f"{words} The intervals of both versions do not touch, so this is more than chance. A model trained on "
                "fewer kinds of text meets more that it has not seen.",
                fix="See in the versions what was removed. Nothing to do if it was copies.",
                count=vendi.n,
                estimate=vendi,
                data=data,
            )
        ]
    alike = (vendi.high or vendi.value) < LOW_VENDI * TEXTS
    return [
        Finding(
            check="diversity",
            severity=Severity.INFO if alike else Severity.GOOD,
            title=f"The texts are much alike: {TEXTS} of them are as varied as {vendi.value:.0f} wholly different ones"
            if alike
            else f"{TEXTS} of the texts are as varied as {vendi.value:.0f} wholly different ones",
            meaning=f"{words} A model learns such texts quickly and knows little beyond them." if alike else words,
            fix="Add texts of other kinds, if real use has them." if alike else "",
            count=vendi.n,
            estimate=vendi,
            data=data,
        )
    ]


def _less_than_before(context: Context, found: dict[str, Estimate]) -> tuple[int, list[str]] | None:
    """The newest earlier version that was clearly more varied, and in what."""
    for earlier in sorted(context.around.earlier, key=lambda e: -e.number):
        worse = []
        for name in ("distinct_2", "vendi"):
            before, now = earlier.measures.get(name), found[name]
            if before and now.high is not None and now.high < before["low"]:
                worse.append(
                    f"{TITLES[name].lower()} {_shown(name, now.value)} instead of {_shown(name, before['value'])}"
                )
        if worse:
            return earlier.number, worse
        return None  # only the version before this one: the chart shows the others
    return None


def _shown(name: str, value: float) -> str:
    return f"{value:.0f}" if name == "vendi" else f"{value:.0%}"


PLUGIN = Check("diversity", "Variety", 46, ALL, run)
