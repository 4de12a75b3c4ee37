"""Which rows are for training, validation and test: deterministic, fixed once, and never the same text in two parts."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.schemas.errors import UserError
from core.schemas.examples import SPLITS, Split
from core.schemas.plan import SplitPlan, Strategy

from .dates import parse_dates
from .duplicates import near_pairs, normalise
from .joined import Joined

FEWEST_TEXTS = 5  # fewer different texts give no three parts that mean anything
MOST_UNDATED = 0.2  # share of rows without a date, beyond which a split by time says little (house limit)
NAMES: dict[str, Split] = {
    "train": "train", "training": "train", "learn": "train", "trn": "train",
    "validation": "validation", "validate": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "development": "validation", "eval": "validation",
    "test": "test", "testing": "test", "tst": "test", "holdout": "test",
}  # fmt: skip


class SplitRow(NamedTuple):
    """`group` is the value of the column to split by (its date, for a split by time); `text` decides what is a duplicate;
    `whole` names the row that this one is a piece of: the pieces of one text share a part, however it is split."""

    row_id: str
    label: str | None
    group: str | None
    text: str
    whole: str | None = None
    labels: tuple[str, ...] | None = None  # where a row may have any number of them: `label` is None then

    @property
    def counted(self) -> tuple[str, ...]:
        """What keeps its share in every part: the label, or each label and the row itself."""
        return (self.label or "",) if self.labels is None else ("", *self.labels)


class _Cluster(NamedTuple):
    """Rows that must stay together. `key` identifies it whatever the order of the rows."""

    key: str
    rows: list[SplitRow]
    label: str


def split(rows: Sequence[SplitRow], plan: SplitPlan, fixed: Mapping[str, Split] | None = None) -> dict[str, Split]:
    """Row id to part, the same for every order of the rows.

    Equal texts share a part, with the strategy "column" also equal groups, with "cluster" also nearly equal texts; labels
    with one or two different texts stay in training (see `rare_labels`). With "time" the newest rows are the test and
    the next newest validate; rows without a date are for training. With "given" the column decides, also about equal
    texts; parts that it does not name are drawn from its training rows.

    Rows in `fixed` stay where an earlier version of the dataset had them, and its test part is closed: new rows are for
    training and validation, and new rows that would have to be tested (they repeat a test row, belong to its group, or
    say so themselves) are left out of the answer.

    Raises UserError where there are too few different texts, one label only, a part that would be empty, or a column
    that names no parts or holds no dates.
    """
    labels = {row.label for row in rows if row.label is not None}
    if len(labels) == 1:
        raise UserError(
            "There is only one category.",
            f"Every row has the label {labels.pop()!r}, so there is nothing to tell apart.",
            "Check that the right column is chosen as the category, or add examples of other categories.",
        )
    earlier = {row.row_id: fixed[row.row_id] for row in rows if row.row_id in fixed} if fixed else {}
    if rows and len(earlier) == len(rows):
        where = earlier  # a fix that adds no rows moves none
    else:
        where = _given(rows, plan, earlier) if plan.strategy == "given" else _drawn(rows, plan, earlier)
    _check_parts(rows, plan, where)
    return {row.row_id: where[row.row_id] for row in rows if row.row_id in where}


def rare_labels(rows: Iterable[SplitRow]) -> list[str]:
    """Labels with fewer than three different texts: they cannot be in all three parts, and stay in training."""
    texts: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.label is not None:
            texts[row.label].add(normalise(row.text))
    return sorted(label for label, different in texts.items() if len(different) < len(SPLITS))


def part_named(value: str) -> Split | None:
    """The part that a cell or a file name speaks of ("Dev", "reviews_train.csv"), or None where it is none or two."""
    found = {NAMES[word] for word in re.findall(r"[a-z]+", value.casefold()) if word in NAMES}
    return found.pop() if len(found) == 1 else None


# -- drawing -----------------------------------------------------------------------------------------------------------


def _drawn(rows: Sequence[SplitRow], plan: SplitPlan, earlier: Mapping[str, Split]) -> dict[str, Split]:
    """Place whole clusters; those with an earlier place stay there."""
    where: dict[str, Split] = {}
    free: list[_Cluster] = []
    for cluster in _clusters(rows, plan.strategy):
        known = {row.row_id: earlier[row.row_id] for row in cluster.rows if row.row_id in earlier}
        where |= known
        if not known:
            free.append(cluster)
        elif "test" not in known.values():
            home: Split = "validation" if "validation" in known.values() else "train"
            where |= {row.row_id: home for row in cluster.rows if row.row_id not in known}
    shares: dict[Split, float] = {"validation": plan.validation, "test": plan.test}
    if "test" in earlier.values():
        shares = {"validation": plan.validation / (1 - plan.test), "test": 0.0}
    if not earlier and plan.strategy != "column" and len(free) < FEWEST_TEXTS:
        raise UserError(
            "There are too few examples to split.",
            f"The {len(rows)} usable rows hold {len(free)} {'clearly ' * (plan.strategy == 'cluster')}different texts. A "
            f"training, a validation and a test part need at least {FEWEST_TEXTS}.",
            "Add more examples: 50 or more are a start.",
        )
    sets = any(row.labels is not None for row in rows) and plan.strategy != "random"
    place = {"column": _balanced, "time": _newest_last}.get(plan.strategy, _balanced if sets else _by_stratum)
    for cluster, part in place(free, plan, shares):
        where |= {row.row_id: part for row in cluster.rows}
    return where


def _clusters(rows: Sequence[SplitRow], strategy: Strategy) -> list[_Cluster]:
    """Rows with equal texts and, where asked, equal groups or nearly equal texts (joined through one another), sorted."""
    joined = Joined[str]()
    texts = [f"text {normalise(row.text)}" for row in rows]
    for row, text in zip(rows, texts, strict=True):
        if strategy == "column" and isinstance(row.group, str) and row.group.strip():
            joined.join(f"group {row.group}", text)
        if row.whole:
            joined.join(f"whole {row.whole}", text)
    if strategy == "cluster":
        different = sorted(set(texts))  # so that the order of the rows does not matter
        for i, j, _ in near_pairs([text.removeprefix("text ") for text in different]):
            joined.join(different[i], different[j])
    together: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        together[joined.root(text)].append(i)
    clusters = []
    for members in together.values():
        counts = Counter(rows[i].label or "" for i in members)
        label = min(counts, key=lambda name: (-counts[name], name))
        clusters.append(_Cluster(min(texts[i] for i in members), [rows[i] for i in members], label))
    return sorted(clusters)


def _rank(seed: int, key: str) -> bytes:
    """A place in a random order that depends on nothing but the seed and the row's own text."""
    return hashlib.blake2b(f"{seed}:{key}".encode(errors="surrogatepass"), digest_size=12).digest()


def _by_stratum(
    clusters: Sequence[_Cluster], plan: SplitPlan, shares: Mapping[Split, float]
) -> Iterable[tuple[_Cluster, Split]]:
    """For each label (or for all together) fill test, then validation, in random order; the rest is for training."""
    strata: dict[str, list[_Cluster]] = defaultdict(list)
    for cluster in clusters:
        strata[cluster.label if plan.strategy != "random" else ""].append(cluster)
    for members in strata.values():
        size = sum(len(c.rows) for c in members)
        rare = len(members) < len(SPLITS)
        room = {part: 0 if rare or not share else max(1, int(size * share + 0.5)) for part, share in shares.items()}
        for cluster in sorted(members, key=lambda c: _rank(plan.seed, c.key)):
            part: Split = "train"
            for name in ("test", "validation"):
                # A cluster goes in whole, so it may overshoot, but by no more than half of itself.
                if room[name] > 0 and len(cluster.rows) <= 2 * room[name]:
                    part = name
                    room[name] -= len(cluster.rows)
                    break
            yield cluster, part


def _balanced(
    clusters: Sequence[_Cluster], plan: SplitPlan, shares: Mapping[Split, float]
) -> Iterable[tuple[_Cluster, Split]]:
    """Place groups, the largest first, where they bring the share of every label nearest to what is wanted.

    The greedy rule of scikit-learn's StratifiedGroupKFold, for parts of unequal size. Where rows have any number of labels,
    those with the rarest label come first (iterative stratification, Sechidis et al. 2011, ECML).
    """
    parts = [part for part in SPLITS if part == "train" or shares[part]]
    share = {part: shares[part] if part != "train" else 1 - sum(shares.values()) for part in parts}
    totals = Counter(label for cluster in clusters for row in cluster.rows for label in row.counted)
    sets = any(row.labels is not None for cluster in clusters for row in cluster.rows)

    def order(cluster: _Cluster) -> tuple[int, int, bytes]:
        rarest = min(totals[label] for row in cluster.rows for label in row.counted) if sets else 0
        return rarest, -len(cluster.rows), _rank(plan.seed, cluster.key)

    held = {part: Counter[str]() for part in parts}
    placed: dict[Split, list[_Cluster]] = {part: [] for part in parts}
    for cluster in sorted(clusters, key=order):
        labels = Counter(label for row in cluster.rows for label in row.counted)

        def cost(part: Split, labels: Counter[str] = labels) -> float:
            """Change of the summed squared relative distance from the wanted counts, over the labels of the group."""
            change = 0.0
            for label, count in labels.items():
                wanted = share[part] * totals[label]
                before, after = held[part][label] - wanted, held[part][label] + count - wanted
                change += (after * after - before * before) / (wanted * totals[label])
            return change

        best = min(parts, key=cost)
        placed[best].append(cluster)
        held[best] += labels
    for part in parts:  # few large groups can leave a small part with nothing: it gets the smallest that can be spared
        donor = max(parts, key=lambda p: (len(placed[p]), p))
        if not placed[part] and len(placed[donor]) > 1:
            placed[part].append(placed[donor].pop())
    return [(cluster, part) for part in parts for cluster in placed[part]]


def _newest_last(
    clusters: Sequence[_Cluster], plan: SplitPlan, shares: Mapping[Split, float]
) -> Iterable[tuple[_Cluster, Split]]:
    """By the date of a cluster's oldest row: the newest clusters for the test, those before them for validation.

    The oldest counts, so that nothing in the test is older than the border; a later copy of an old text stays with it.
    Rows of the same date at the border are told apart by chance.
    """
    dates = parse_dates([row.group for cluster in clusters for row in cluster.rows])
    following = iter(dates)
    dated: list[tuple[float, bytes, _Cluster]] = []
    undated: list[_Cluster] = []
    for cluster in clusters:
        found = [date for _ in cluster.rows if (date := next(following)) is not None]
        if found:
            dated.append((min(found), _rank(plan.seed, cluster.key), cluster))
        else:
            undated.append(cluster)
    _check_dates(dates, plan)
    size = sum(len(c.rows) for _, _, c in dated)
    room = {part: max(1, int(size * share + 0.5)) if share else 0 for part, share in shares.items()}
    for _, _, cluster in sorted(dated, key=lambda item: item[:2], reverse=True):
        part: Split = "test" if room["test"] > 0 else "validation" if room["validation"] > 0 else "train"
        if part != "train":
            room[part] -= len(cluster.rows)
        yield cluster, part
    for cluster in undated:
        yield cluster, "train"


def _check_dates(dates: Sequence[float | None], plan: SplitPlan) -> None:
    missing = sum(date is None for date in dates)
    if missing > MOST_UNDATED * len(dates):
        raise UserError(
            "The column holds too few dates.",
            f"{missing} of {len(dates)} rows have no date in {plan.column!r} that can be read, so they cannot be put in "
            "the order of time.",
            "Choose a column with dates such as 2024-03-31, or another way to split.",
        )
    if len({date for date in dates if date is not None}) < len(SPLITS):
        raise UserError(
            "All rows are of the same time.",
            f"The column {plan.column!r} holds fewer than {len(SPLITS)} different dates.",
            "Choose another column, or another way to split.",
        )


# -- a column or files that name the parts -----------------------------------------------------------------------------


def _given(rows: Sequence[SplitRow], plan: SplitPlan, earlier: Mapping[str, Split]) -> dict[str, Split]:
    named: dict[str, Split] = dict(earlier)
    closed = "test" in earlier.values()
    strange: Counter[str] = Counter()
    for row in rows:
        part = part_named(row.group) if isinstance(row.group, str) else None
        if part is not None:
            if not (closed and part == "test"):
                named.setdefault(row.row_id, part)
        elif row.row_id not in named:
            strange[row.group if isinstance(row.group, str) else "(empty)"] += 1
    if strange:
        value, count = strange.most_common(1)[0]
        raise UserError(
            "The column does not say for every row which part it is for.",
            f"{strange.total()} of {len(rows)} rows have another value, such as {value[:60]!r} in {count}. Known are "
            "train, validation (also dev) and test.",
            "Choose another column, or another way to split.",
        )
    missing = [part for part in SPLITS if part != "train" and part not in named.values()]
    if missing:
        rest = [row for row in rows if named.get(row.row_id) == "train" and row.row_id not in earlier]
        shares: dict[Split, float] = {
            "validation": plan.validation if "validation" in missing else 0.0,
            "test": plan.test if "test" in missing else 0.0,
        }
        for cluster, part in _by_stratum(_clusters(rest, "stratified"), plan, shares):
            named |= {row.row_id: part for row in cluster.rows}
    return named


def _check_parts(rows: Sequence[SplitRow], plan: SplitPlan, where: Mapping[str, Split]) -> None:
    titles = {"train": "training", "validation": "validation", "test": "test"}
    counts = Counter(where.values())
    for part in SPLITS:
        if counts[part]:
            continue
        if plan.strategy == "given" and part == "train":
            cause, fix = "No row of the column says train.", "Choose another column, or another way to split."
        elif plan.strategy == "cluster":
            cause = f"The {len(rows)} usable rows nearly repeat one another, and rows that do are never taken apart."
            fix = "Choose another way to split, or add examples in other words."
        elif plan.strategy == "column":
            cause = f"The {len(rows)} usable rows fall into too few groups, and a group is never taken apart."
            fix = "Choose a column with more different values, or another way to split."
        else:
            cause = f"Of the {len(rows)} usable rows, equal texts and labels with only one or two texts stay together."
            fix = "Add more different examples of each category (50 or more in all are a start)."
        raise UserError(f"The {titles[part]} part would be empty.", cause, fix)
