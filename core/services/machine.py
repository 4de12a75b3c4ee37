"""What a run makes of its machine: the newest figures, the limit that was measured, and the phases of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from core.schemas.curves import PHASES
from core.store import curves
from core.store.tables import Run

RECENT = 20  # points of a curve whose mean is "now"; one alone would make it jump


@dataclass(frozen=True)
class Machine:
    """Memory in bytes, speed in tokens/s, `share` and `use` from 0 to 1, phases in seconds. None where there is no point yet."""

    device: str
    title: str
    ceiling: float
    per_token: float
    how: str
    use_known: bool
    phases_known: bool
    speed: float | None
    share: float | None
    use: float | None
    memory: float | None
    memory_peak: float
    phases: dict[str, float]


def load(run: Run) -> Machine | None:
    """None where the run has not begun, or is older than these measurements."""
    told = [e.data for e in curves.events(run.id) if e.kind == "hardware"]
    if not told:
        return None
    memory = curves.series(run.id, "memory", "batch")
    # They only grow, so that the highest of the newest bucket is the newest.
    phases = {name: points[-1].high for name in PHASES if (points := curves.series(run.id, name, "phases"))}
    return Machine(
        **told[-1],
        speed=_now(run.id, "tokens_per_second"),
        share=_now(run.id, "share_of_limit"),
        use=_now(run.id, "use"),
        memory=memory[-1].mean if memory else None,
        memory_peak=max((b.high for b in memory), default=0.0),
        phases=phases,
    )


def _now(run_id: str, name: str) -> float | None:
    recent = [b.mean for b in curves.series(run_id, name, "batch")[-RECENT:]]
    return sum(recent) / len(recent) if recent else None
