"""What the votes of a review say: who is preferred, how surely, and how far the votes can be trusted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.data import agreement, bradley_terry, equal_length
from core.data.statistics import bootstrap_mean, decisive_votes, newcombe_difference, sign_test, wilson
from core.data.statistics import verdict as verdict_of
from core.data.stopping import anytime_p
from core.schemas.estimates import Estimate, Verdict
from core.schemas.reviews import Against, Contender, Place, ReviewResult, ReviewSpec
from core.store.tables import SampleSet

from . import review_prompts, reviews
from .review_words import FEWEST_DECISIVE, chosen_sentence, sentence, thumb_sentence

SURE = 0.05
LIKELY = 0.7  # the win rate that is planned for before there are votes


@dataclass(frozen=True)
class Cast:
    """One vote with whose answers stood where. `prompt` groups votes that are not independent."""

    item: int
    prompt: str
    left: str
    right: str | None
    vote: str
    rater: str
    repeat_of: int | None
    longer: dict[str, int]
    scores: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    def of(self, first: str, second: str) -> bool:
        return {self.left, self.right} == {first, second}

    def score(self, key: str) -> float:
        return 1.0 if self.vote == key else 0.5 if self.vote in ("tie", "bad") else 0.0


def cast(sample_set: SampleSet, raters: Iterable[str]) -> list[Cast]:
    """All votes of these raters, in the order of the items."""
    out = []
    for rater in raters:
        for place, review in reviews.reviews(sample_set, rater).items():
            if not review.vote:
                continue
            item = sample_set.items[place]
            left, right = reviews.sides(sample_set, place, rater)
            lengths = {key: len(str(item.get(key) or "")) for key in (left, right) if key is not None}
            out.append(
                Cast(
                    place, review_prompts.asked_in(item), left, right, review.vote, rater, item["repeat_of"], lengths,
                    dict(review.scores or {}), tuple(review.reasons or ()),
                )
            )  # fmt: skip
    return sorted(out, key=lambda vote: (vote.item, vote.rater))


def result(sample_set: SampleSet, rater: str = "") -> ReviewResult:
    """What one rater's own votes say so far."""
    return _result(sample_set, (rater,))


def live(sample_set: SampleSet, rater: str = "") -> Against:
    """The two main contenders only, while somebody judges: quick, and without the reading at equal length."""
    first, other, *_ = reviews.spec_of(sample_set).contenders
    votes = [vote for vote in cast(sample_set, (rater,)) if vote.repeat_of is None]
    return _against(first, other, votes, _same(sample_set), early=True, fair=False)


def combined(sample_set: SampleSet) -> ReviewResult:
    """What the votes of all raters say who have seen everything or have ended."""
    return _result(sample_set, tuple(finished(sample_set)))


def finished(sample_set: SampleSet) -> list[str]:
    """The raters whose votes count: those who are through or have ended."""
    found = []
    for name in reviews.raters(sample_set):
        now = reviews.state(sample_set, name)
        if now.ended and now.voted:
            found.append(name)
    return found


def _result(sample_set: SampleSet, raters: Sequence[str]) -> ReviewResult:
    spec = reviews.spec_of(sample_set)
    every = cast(sample_set, raters)
    votes = [vote for vote in every if vote.repeat_of is None]
    states = [reviews.state(sample_set, name) for name in raters]
    early = any(state.early for state in states)
    shared: dict[str, Any] = {
        "votes": len(votes),
        "planned": sum(1 for x in sample_set.items if x["repeat_of"] is None and not reviews.is_same(x)),
        "raters": tuple(raters),
        "early": early,
        "consistency": _consistency(every),
        "rubrics": _rubrics(votes, spec),
        "reasons": _reasons(votes),
        "agreement": _agreement(votes, raters),
        "rubric_agreement": _rubric_agreement(votes, raters, spec),
    }
    if spec.mode == "single":
        thumbs = _thumbs(votes, spec)
        if reviews.from_playground(sample_set):  # nobody drew these: they compare nothing
            return ReviewResult(
                verdict=None, sentence=chosen_sentence([v.vote for v in votes]), more_votes=0, thumbs=thumbs, **shared
            )
        verdict = _verdict_of_thumbs(votes, spec)
        said = thumb_sentence(thumbs, spec, verdict)
        return ReviewResult(verdict=verdict, sentence=said, more_votes=0, thumbs=thumbs, **shared)
    same = _same(sample_set)
    first, *others = spec.contenders
    against = tuple(_against(first, other, votes, same, early) for other in others)
    decided = [float(v.vote == v.left) for v in every if v.vote in (v.left, v.right)]
    prompts = [v.prompt for v in every if v.vote in (v.left, v.right)]
    return ReviewResult(
        verdict=against[0].verdict,
        sentence=sentence(first, against, early, len(raters)),
        more_votes=more_votes(against[0]),
        against=against,
        ranking=_ranking(votes, spec) if len(spec.contenders) > 2 else (),
        tie_rate=_share([float(v.vote == "tie") for v in votes], votes),
        bad_rate=_share([float(v.vote == "bad") for v in votes], votes),
        left_share=bootstrap_mean(decided, prompts, (0.0, 1.0)) if len(decided) > 1 else None,
        **shared,
    )


def _same(sample_set: SampleSet) -> list[dict[str, Any]]:
    return [x for x in sample_set.items if x["repeat_of"] is None and reviews.is_same(x)]


def _share(values: list[float], votes: Sequence[Cast]) -> Estimate | None:
    return bootstrap_mean(values, [v.prompt for v in votes], (0.0, 1.0)) if len(values) > 1 else None


def _against(
    first: Contender,
    other: Contender,
    votes: Sequence[Cast],
    same: Sequence[dict[str, Any]],
    early: bool,
    fair: bool = True,
) -> Against:
    """Votes of one prompt, by one or several raters, are one observation of the sign test: which side has more of them."""
    own = [vote for vote in votes if vote.of(first.key, other.key)]
    alike = [x for x in same if {x["left"], reviews.right_of(x)} == {first.key, other.key}]
    scores = [vote.score(first.key) for vote in own] + [0.5] * len(alike)
    prompts = [vote.prompt for vote in own] + [review_prompts.asked_in(x) for x in alike]
    leaning: dict[str, float] = defaultdict(float)
    for vote in own:
        leaning[vote.prompt] += vote.score(first.key) - 0.5
    up, down = (sum(1 for lean in leaning.values() if sign * lean > 0) for sign in (1, -1))
    p = None if up + down == 0 else anytime_p(up, down) if early else sign_test(up, down)
    verdict = Verdict.NOT_ENOUGH_DATA
    if p is not None and up + down >= FEWEST_DECISIVE:
        verdict = Verdict.NO_EVIDENCE if p >= SURE else Verdict.BETTER if up > down else Verdict.WORSE
    longer = [vote.longer[first.key] - vote.longer[other.key] for vote in own]
    equal = None
    if fair and len(own) > 1:
        equal = equal_length.win_rate([vote.score(first.key) for vote in own], longer, [vote.prompt for vote in own])
    pressed = Counter(vote.vote for vote in own)
    return Against(
        key=other.key,
        title=other.title,
        wins=pressed[first.key],
        losses=pressed[other.key],
        ties=pressed["tie"],
        both_bad=pressed["bad"],
        same=len(alike),
        win_rate=bootstrap_mean(scores, prompts, (0.0, 1.0)) if len(scores) > 1 else None,
        equal_length=equal.win_rate if equal else None,
        longer_wins=equal.longer_wins if equal else None,
        p=p,
        verdict=verdict,
    )


def more_votes(found: Against) -> int:
    """How many more decisive votes would find a preference of the measured size four times in five."""
    if found.verdict in (Verdict.BETTER, Verdict.WORSE):
        return 0
    share = max(found.wins, found.losses) / found.decisive if found.decisive else LIKELY
    return max(FEWEST_DECISIVE - found.decisive, decisive_votes(min(0.9, max(0.55, share))) - found.decisive, 0)


def _ranking(votes: Sequence[Cast], spec: ReviewSpec) -> tuple[Place, ...]:
    titles = {c.key: c.title for c in spec.contenders}
    cast_ = [(v.left, str(v.right), v.score(v.left)) for v in votes if v.left in titles and v.right in titles]
    if len({key for vote in cast_ for key in vote[:2]}) < 3:
        return ()
    found = bradley_terry.standings(cast_, [v.prompt for v in votes if v.left in titles and v.right in titles])
    return tuple(Place(key=r.name, title=titles[r.name], wins=r.wins, votes=r.votes) for r in found.rows)


def _consistency(every: Sequence[Cast]) -> Estimate | None:
    """The share of repeats that got the vote of the first showing."""
    known = {(vote.item, vote.rater): vote for vote in every}
    again = [vote for vote in every if vote.repeat_of is not None and (vote.repeat_of, vote.rater) in known]
    same = sum(1 for vote in again if vote.vote == known[vote.repeat_of or 0, vote.rater].vote)
    return wilson(same, len(again)) if again else None


def _rated(votes: Sequence[Cast], key: str, rubric: str) -> list[tuple[Cast, float]]:
    """The ratings of a contender for a rubric. Reviews from before each answer was rated by itself are passed over."""
    out = []
    for vote in votes:
        given = vote.scores.get(key)
        if isinstance(given, dict) and given.get(rubric):
            out.append((vote, float(given[rubric])))
    return out


def _rubrics(votes: Sequence[Cast], spec: ReviewSpec) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for contender in spec.contenders:
        for rubric in spec.rubrics:
            given = _rated(votes, contender.key, rubric.key)
            if len(given) > 1:
                mean = bootstrap_mean([value for _, value in given], [vote.prompt for vote, _ in given], (1.0, 5.0))
                found.setdefault(contender.key, {})[rubric.key] = mean
    return found


def _reasons(votes: Sequence[Cast]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in votes:
        found[vote.vote].update(vote.reasons)
    return {key: dict(counts.most_common()) for key, counts in found.items() if counts}


def _agreement(votes: Sequence[Cast], raters: Sequence[str]) -> Estimate | None:
    """Krippendorff's alpha, nominal, over the pairs that several people judged."""
    if len(raters) < 2:
        return None
    given = {(vote.item, vote.rater): vote.vote for vote in votes}
    items = sorted({vote.item for vote in votes})
    return agreement.krippendorff([[given.get((i, r)) for r in raters] for i in items], "nominal")


def _rubric_agreement(votes: Sequence[Cast], raters: Sequence[str], spec: ReviewSpec) -> dict[str, Estimate]:
    """The same for each rubric, ordinal, over single answers."""
    found: dict[str, Estimate] = {}
    for rubric in spec.rubrics if len(raters) > 1 else ():
        given: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
        for contender in spec.contenders:
            for vote, value in _rated(votes, contender.key, rubric.key):
                given[vote.item, contender.key][vote.rater] = value
        rows = [[by.get(rater) for rater in raters] for by in given.values()]
        if (alpha := agreement.krippendorff(rows, "ordinal", [1.0, 2.0, 3.0, 4.0, 5.0])) is not None:
            found[rubric.key] = alpha
    return found


def _thumbs(votes: Sequence[Cast], spec: ReviewSpec) -> dict[str, Estimate]:
    found = {}
    for contender in spec.contenders:
        own = [vote for vote in votes if vote.left == contender.key]
        if len(own) > 1:
            values = [float(vote.vote == "up") for vote in own]
            found[contender.key] = bootstrap_mean(values, [vote.prompt for vote in own], (0.0, 1.0))
    return found


def _verdict_of_thumbs(votes: Sequence[Cast], spec: ReviewSpec) -> Verdict | None:
    """The first contender's share of good answers against the second's. Several raters' votes on one answer count once, by
    their majority."""
    if len(spec.contenders) < 2:
        return None
    counts = []
    for contender in spec.contenders[:2]:
        leaning: dict[str, int] = defaultdict(int)
        for vote in votes:
            if vote.left == contender.key:
                leaning[vote.prompt] += 1 if vote.vote == "up" else -1
        decided = [lean for lean in leaning.values() if lean]
        counts.append((sum(1 for lean in decided if lean > 0), len(decided)))
    (good, n), (other, m) = counts
    if not n or not m:
        return Verdict.NOT_ENOUGH_DATA
    return verdict_of(newcombe_difference(good, n, other, m), True, n=min(n, m))
