"""What each corrective action says it does to the rows is what it does; where it does not fit, it says why."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from core.data.gates import together
from core.mitigations import registry
from core.mitigations._action import NOBODY, rates
from core.mitigations.balanced_sampling import PLUGIN as BALANCED
from core.mitigations.doubtful_rows import PLUGIN as DOUBTFUL
from core.mitigations.gradient_reversal import PLUGIN as REVERSAL
from core.mitigations.logit_pairing import PLUGIN as PAIRING
from core.mitigations.reweighing import PLUGIN as WEIGHTS
from core.mitigations.reweighing import weights_of
from core.schemas.audits import GateResult, GateState
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.mitigations import Given

WORDS = ("about the office", "in the shop", "on the train", "at home", "with a friend")


def rows(men: tuple[int, int], women: tuple[int, int], nobody: tuple[int, int] = (10, 10)) -> list[Example]:
    """(hired, declined) rows about men, women and nobody."""
    source = random.Random(3)
    out = []
    for said, counts in (("The man asked", men), ("The woman asked", women), ("They asked", nobody)):
        for label, n in zip(("hire", "decline"), counts, strict=True):
            for _ in range(n):
                text = f"{said} {source.choice(WORDS)}, case {len(out)}."
                out.append(Example(row_id=f"r{len(out)}", text=text, label=label))
    return out


TIED = rows((36, 4), (8, 32))


def test_weighted_label_shares_are_the_same_in_every_group() -> None:
    deed = WEIGHTS.act(TIED, WEIGHTS.config(), Given())
    assert deed.term is not None and set(deed.term.groups.values()) == {"men", "women", NOBODY}
    labels = {e.row_id: e.label or "" for e in TIED}
    plain, weighed = rates(deed.term.groups, labels), rates(deed.term.groups, labels, deed.term.weights)
    overall = sum(label == "hire" for label in labels.values()) / len(labels)
    assert plain["men"]["hire"] == 0.9 and plain["women"]["hire"] == 0.2
    assert all(told["hire"] == pytest.approx(overall) for told in weighed.values())
    shown = WEIGHTS.look(TIED, WEIGHTS.config(), Given())
    assert {(r["group"], r["label"]): r["rows"] for r in shown.rows}["men", "decline"] == 4
    assert "70 points" in shown.says[0] and "weighted, by 0" in shown.says[0]


def test_weights_have_limits_and_the_preview_says_where_they_are_reached() -> None:
    rare = rows((199, 1), (1, 199))
    deed = WEIGHTS.act(rare, WEIGHTS.config(), Given())
    assert deed.term is not None and max(deed.term.weights.values()) == 5
    assert "at the limit" in WEIGHTS.look(rare, WEIGHTS.config(), Given()).says[1]
    few = {str(i): "ab"[i == 99] for i in range(100)}
    assert (
        weights_of(few, {row: {"a": "x", "b": "y"}[group] for row, group in few.items()})["99"] == 0.2
    )  # .01, clipped


def test_a_column_of_the_persons_own_takes_the_place_of_the_words() -> None:
    column = {e.row_id: "north" if i % 2 else "south" for i, e in enumerate(TIED[:60])}
    deed = WEIGHTS.act(TIED, WEIGHTS.config(column="region"), Given(groups=column))
    assert deed.term is not None and Counter(deed.term.groups.values()) == {"north": 30, "south": 30, NOBODY: 40}
    with pytest.raises(UserError, match="cannot be swapped"):
        PAIRING.look(TIED, PAIRING.config(column="region"), Given(groups=column))


def test_cells_that_are_balanced_are_told_with_their_rows() -> None:
    shown = BALANCED.look(TIED, BALANCED.config(), Given())
    assert {r["read in an epoch"] for r in shown.rows} == {36} and "164 rows instead of 100" in shown.says[0]
    empty = BALANCED.look(rows((30, 0), (10, 10)), BALANCED.config(), Given())
    assert "no row about men with “decline”" in empty.says[1]
    with pytest.raises(UserError, match="choose the rows"):
        BALANCED.act(TIED, BALANCED.config(), Given(recipe={"balance": "oversample"}))


def test_twins_differ_in_the_people_only_and_a_struck_one_is_gone() -> None:
    shown = PAIRING.look(TIED, PAIRING.config(), Given())
    first = shown.rows[0]
    assert shown.strike and first["before"].replace("man", "woman") == first["after"]
    deed = PAIRING.act(TIED, PAIRING.config(), Given(), {first["row_id"]})
    assert deed.term is not None and len(deed.term.twins) == 79 and first["row_id"] not in deed.term.twins
    assert not deed.changes_rows and deed.term.config == {"strength": 1.0, "ramp": True}
    with pytest.raises(UserError, match="only be swapped in English"):
        PAIRING.look(TIED, PAIRING.config(), Given(language="de"))


def test_doubtful_rows_are_found_and_as_many_by_chance_are_taken_to_compare() -> None:
    clean = rows((20, 20), (20, 20))
    right = {"hire": "It was wonderful and good.", "decline": "It was terrible and bad."}
    told = [e.model_copy(update={"text": f"{e.text} {right[e.label or '']}"}) for e in clean]
    wrong = [3, 30, 50]
    flip = {"hire": "decline", "decline": "hire"}
    mixed = [e.model_copy(update={"label": flip[e.label or ""]}) if i in wrong else e for i, e in enumerate(told)]
    deed = DOUBTFUL.act(mixed, DOUBTFUL.config(), Given())
    assert set(deed.dropped) == {mixed[i].row_id for i in wrong}
    again = DOUBTFUL.act(mixed, DOUBTFUL.config(way="relabel"), Given(), {mixed[3].row_id})
    assert again.relabelled == {mixed[i].row_id: told[i].label for i in (30, 50)}
    chance = [DOUBTFUL.act(mixed, DOUBTFUL.config(random=True), Given(seed=s)).dropped for s in (1, 1, 2)]
    assert chance[0] == chance[1] != chance[2] and len(chance[0]) == 3


def test_what_does_not_fit_is_refused_with_the_reason() -> None:
    nobody = [Example(row_id=str(i), text="It rained.", label="ab"[i % 2]) for i in range(20)]
    about = [e.model_copy(update={"label": {"hire": "male", "decline": "female"}[e.label or ""]}) for e in TIED]
    for plugin in (WEIGHTS, BALANCED, PAIRING, REVERSAL, DOUBTFUL):
        with pytest.raises(UserError):
            plugin.act(nobody, plugin.config(), Given())
        with pytest.raises(UserError, match="treated alike"):
            plugin.act(about, plugin.config(), Given())
    with pytest.raises(UserError, match="too few rows"):
        REVERSAL.act(rows((3, 3), (3, 3)), REVERSAL.config(), Given())
    one = [e.model_copy(update={"label": "hire"}) for e in TIED]
    with pytest.raises(UserError, match="no categories"):
        WEIGHTS.act(one, WEIGHTS.config(), Given())


def test_every_action_says_what_it_costs_and_why_it_does_not_fit_other_models() -> None:
    for key, action in registry().items():
        if action.changes == "output":
            continue
        assert action.cost and action.helps and action.time >= 1, key
        for family in FAMILIES:
            assert (family in action.families) != bool(action.unfit.get(family)), (key, family)
        if action.claim == "robustness":
            assert "not fairness" in action.help


def test_an_action_is_refused_where_one_audit_refuses_it() -> None:
    def ended(*states: GateState) -> GateState:
        return together([GateResult(state=state, reasons=()) for state in states])

    verified, open_, refused = GateState.VERIFIED, GateState.NOT_VERIFIED, GateState.REFUSED
    assert ended(verified, open_) == verified and ended(open_, open_) == open_ and ended(verified, refused) == refused
    assert ended() == open_
