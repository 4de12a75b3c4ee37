"""Blind review: several models answer the same prompts, people judge without knowing whose answer is which."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from core.data.duplicates import normalise
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.jobs import Job, JobKind
from core.schemas.predictor import Decoding
from core.schemas.reviews import AGAIN, BASE, REFERENCE, TUNED, ReviewSpec, Vote
from core.store import jobs, records
from core.store.engine import write
from core.store.tables import Rater, Review, Run, SampleSet
from core.tasks import registry as tasks

from . import runs
from .review_contenders import came_from, contenders, usual

__all__ = [
    "PLAYGROUND",
    "State",
    "came_from",
    "clean_name",
    "contenders",
    "end",
    "failed",
    "from_playground",
    "get",
    "is_same",
    "join",
    "own_prompts",
    "rate",
    "raters",
    "reviews",
    "right_of",
    "sets",
    "sides",
    "skip",
    "spec_of",
    "state",
    "store",
    "submit",
    "undo",
    "usual",
    "vote",
]

REPEATS = 0.1  # share of items shown twice with sides swapped, to see whether a rater agrees with themself
FEWEST_FOR_REPEATS = 10
APART = 5  # items at least between a pair and its repeat
NAME_LENGTH = 40
PLAYGROUND = "playground"  # thumbs that were given while chatting


def own_prompts(text: str) -> list[str]:
    """One prompt a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def submit(run: Run, spec: ReviewSpec, decoding: Decoding) -> str:
    """Queue the generation. Returns the job's id."""
    if FAMILIES[tasks()[run.task].family].reads:
        raise UserError(
            "This model writes no text.",
            "It gives labels or a number, so there is nothing to read and rate.",
            "Look at its mistakes on the Evaluation screen.",
        )
    if AGAIN in {c.key for c in spec.contenders} and decoding.temperature == 0:
        raise UserError(
            "The second answer would be the same.",
            "At temperature 0 the model always gives its likeliest answer.",
            "Set the temperature above 0, for example to 0.8.",
        )
    payload = {"run_id": run.id, "spec": spec.model_dump(mode="json"), "decoding": decoding.model_dump()}
    return jobs.submit(JobKind.GENERATE, run.project_id, payload)


def store(
    run: Run,
    decoding: Decoding,
    items: Sequence[Mapping[str, Any]],
    spec: ReviewSpec | None = None,
    refused: Sequence[tuple[str, str]] = (),
) -> SampleSet:
    """Keep generated answers (called by the worker). Items: prompt, turns, the text of each contender under its key,
    finished. Decides pairs, sides and repeats by the seed."""
    spec = spec or ReviewSpec(contenders=tuple(contenders(run)[:2]))
    chance = random.Random(f"{run.id} {spec.seed} {records.count(SampleSet, run_id=run.id)}")
    shown = _shown(items, spec, chance)
    shown += _repeats(shown, chance)
    config = {
        "spec": spec.model_dump(mode="json", exclude={"texts"}),
        "refused": [list(pair) for pair in refused],
        "order": _order(shown, chance),
    }
    return records.add(
        SampleSet(project_id=run.project_id, run_id=run.id, decoding=decoding.model_dump(), items=shown, config=config)
    )


def _shown(items: Sequence[Mapping[str, Any]], spec: ReviewSpec, chance: random.Random) -> list[dict[str, Any]]:
    """Each prompt with who stands where. More than two contenders take turns, so that all pairs come equally often."""
    out = []
    waiting: list[tuple[str, str]] = []
    for item in items:
        # Not every row has an answer of its own; an empty answer of a model is one.
        keys = [c.key for c in spec.contenders if c.key != REFERENCE or item.get(REFERENCE)]
        if spec.mode == "single":
            out.append({**item, "left": chance.choice(keys), "right": None, "repeat_of": None})
            continue
        able = list(combinations(keys, 2))
        for _ in range(min(spec.pairs_each, len(able))):
            if not any(pair in able for pair in waiting):
                waiting += chance.sample(able, len(able))
            pair = next(pair for pair in waiting if pair in able)
            waiting.remove(pair)
            able.remove(pair)
            left, right = pair if chance.random() < 0.5 else pair[::-1]
            out.append({**item, "left": left, "right": right, "repeat_of": None})
    return out


def _repeats(shown: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """A tenth of the pairs once more, with the sides swapped."""
    able = [i for i, item in enumerate(shown) if not is_same(item)]
    chosen = chance.sample(able, round(REPEATS * len(able))) if len(able) >= FEWEST_FOR_REPEATS else []
    out = []
    for i in sorted(chosen):
        swapped = {"left": shown[i]["right"], "right": shown[i]["left"]} if shown[i]["right"] else {}
        out.append({**shown[i], **swapped, "repeat_of": i})
    return out


def _order(items: Sequence[Mapping[str, Any]], chance: random.Random) -> list[int]:
    """In which order the items are shown: as they stand, each repeat somewhere after its first showing."""
    first = [i for i, item in enumerate(items) if item["repeat_of"] is None]
    place = {i: float(i) for i in first}
    for i, item in enumerate(items):
        if item["repeat_of"] is not None:
            place[i] = chance.uniform(min(item["repeat_of"] + APART, len(first)), len(first) + 1)
    return sorted(place, key=lambda i: place[i])


def is_same(item: Mapping[str, Any]) -> bool:
    """Whether both sides say the same, so that nobody needs to be asked."""
    right = right_of(item)
    return right is not None and normalise(str(item[item["left"]])) == normalise(str(item[right]))


def right_of(item: Mapping[str, Any]) -> str | None:
    """Who stands on the other side; None where one answer is judged by itself."""
    if "right" in item:
        return item["right"]
    return BASE if item["left"] == TUNED else TUNED


# -- reading -----------------------------------------------------------------------------------------------------------


def sets(run: Run) -> list[SampleSet]:
    """Newest first."""
    return records.find(SampleSet, run_id=run.id)


def get(sample_set_id: str) -> SampleSet | None:
    return records.get(SampleSet, sample_set_id)


def from_playground(sample_set: SampleSet) -> bool:
    """Whether it holds answers that a person chose to judge while chatting, and not a sample."""
    return (sample_set.config or {}).get("from") == PLAYGROUND


def spec_of(sample_set: SampleSet) -> ReviewSpec:
    """What was asked for; sets from before there was a choice compare the round with its base."""
    run = runs.get(sample_set.run_id)
    given = (sample_set.config or {}).get("spec")
    return ReviewSpec.model_validate(given) if given else ReviewSpec(contenders=tuple(contenders(run)[:2]))


def reviews(sample_set: SampleSet, rater: str = "") -> dict[int, Review]:
    """One rater's judgements by item."""
    return {r.item: r for r in records.find(Review, sample_set_id=sample_set.id, rater=rater)}


def clean_name(name: str) -> str:
    return " ".join(name.split())[:NAME_LENGTH]


def raters(sample_set: SampleSet) -> list[str]:
    """Everyone who has voted or was named, in order of arrival; the person without a name is the empty string."""
    named = [r.name for r in records.find(Rater, sample_set_id=sample_set.id, newest_first=False)]
    voted = [r.rater for r in records.find(Review, sample_set_id=sample_set.id, newest_first=False)]
    return list(dict.fromkeys([*named, *voted]))


def join(sample_set: SampleSet, name: str) -> str:
    """Note a rater by name. Returns the name as it is kept."""
    name = clean_name(name)
    if not records.find(Rater, sample_set_id=sample_set.id, name=name):
        records.add(Rater(sample_set_id=sample_set.id, name=name))
    return name


@dataclass(frozen=True)
class State:
    """How far one rater is. `item` is the place of the next pair, None where all are judged; `early` that some are not.
    `ended`: the person has asked to see whose answers they were (sets from before there was a choice: all is judged)."""

    total: int
    voted: int
    skipped: int
    item: int | None
    ended: bool
    early: bool
    own: dict[int, Review] = field(default_factory=dict)


def state(sample_set: SampleSet, rater: str = "") -> State:
    own = reviews(sample_set, rater)
    order = (sample_set.config or {}).get("order") or range(len(sample_set.items))
    asked = [i for i in order if not is_same(sample_set.items[i])]
    voted = sum(1 for i in asked if i in own and own[i].vote)
    open_items = [i for i in asked if i not in own or not own[i].vote]
    skipped = [i for i in open_items if i in own and own[i].skipped]
    # What was skipped comes again at the end, the one that waits longest first.
    later = sorted(skipped, key=lambda i: own[i].acted_at or 0.0)
    following = [i for i in open_items if i not in skipped] or later
    said_so = any(r.ended_at for r in records.find(Rater, sample_set_id=sample_set.id, name=rater))
    return State(
        total=len(asked),
        voted=voted,
        skipped=len(skipped),
        item=following[0] if following else None,
        ended=said_so or (not following and not sample_set.config),
        early=bool(following),
        own=own,
    )


def sides(sample_set: SampleSet, item: int, rater: str = "") -> tuple[str, str | None]:
    """Who stands left and right for this rater. Each rater sees sides of their own, so that a habit of one side does not
    add up; a repeat is swapped for everyone."""
    shown = sample_set.items[item]
    left, right = str(shown["left"]), right_of(shown)
    first = item if shown["repeat_of"] is None else shown["repeat_of"]
    turned = bool(rater) and hashlib.sha256(f"{sample_set.id} {first} {rater}".encode()).digest()[0] % 2 == 1
    return (right, left) if turned and right is not None else (left, right)


# -- judging -----------------------------------------------------------------------------------------------------------


def vote(sample_set: SampleSet, item: int, pressed: Vote, rater: str = "") -> None:
    """Keep what a person pressed. A pair takes left, right, tie and bad; a single answer up and down."""
    left, right = sides(sample_set, item, rater)
    able: dict[str, str] = {"left": left, "right": right or "", "tie": "tie", "bad": "bad"}
    able = {"up": "up", "down": "down"} if right is None else able
    if pressed not in able:
        raise ValueError(f"a vote here is one of {list(able)}")
    rate(sample_set, item, rater, vote=able[pressed])


def rate(sample_set: SampleSet, item: int, rater: str = "", **values: Any) -> None:
    """Keep a judgement at once: vote (a contender's key, tie, bad, up, down), scores by contender, reasons, note, corrected."""
    left, right = sides(sample_set, item, rater)
    given = values.get("vote")
    if given is not None and given not in ((left, right, "tie", "bad") if right is not None else ("up", "down")):
        raise ValueError(f"no vote: {given!r}")
    now = time.time()
    if given is not None:
        values |= {"acted_at": now, "skipped": False}
    with write():
        known = reviews(sample_set, rater).get(item)
        if known:
            records.change(Review, known.id, {**values, "updated_at": now})
        else:
            records.add(Review(sample_set_id=sample_set.id, item=item, rater=rater, left=left, **values))


def skip(sample_set: SampleSet, item: int, rater: str = "") -> None:
    """Judge it later: it comes again at the end."""
    rate(sample_set, item, rater, skipped=True, acted_at=time.time())


def undo(sample_set: SampleSet, rater: str = "") -> int | None:
    """Take the newest vote or skip back, as often as there are any. Notes and ratings stay. Returns its item."""
    done = [r for r in reviews(sample_set, rater).values() if r.acted_at is not None]
    if not done:
        return None
    last = max(done, key=lambda r: r.acted_at or 0.0)
    records.change(Review, last.id, {"vote": None, "skipped": False, "acted_at": None, "updated_at": time.time()})
    return last.item


def failed(run: Run) -> Job | None:
    """The newest generation for this round, where it failed."""
    of_run = [
        j for j in jobs.find(project_id=run.project_id, kinds=[JobKind.GENERATE]) if j.payload["run_id"] == run.id
    ]
    return of_run[0] if of_run and of_run[0].error else None


def end(sample_set: SampleSet, rater: str = "") -> None:
    """Show this rater whose answers they were; their votes are closed from then on."""
    name = join(sample_set, rater)
    (row,) = records.find(Rater, sample_set_id=sample_set.id, name=name)
    records.change(Rater, row.id, {"ended_at": time.time()})
