"""What differs with who a prompt is about is found beyond the noise of one prompt, and a scorer is judged first."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core.audits._samples import Values, w1
from core.audits._scorer import bad_label
from core.audits.written_answers import PLUGIN, Config
from core.data.identity import groups_in
from core.data.refusals import refuses
from core.schemas.audits import AuditInput, AuditResult
from core.schemas.estimates import Verdict
from core.schemas.examples import Example, Message
from core.schemas.findings import Severity
from core.schemas.predictor import Decoding, Generation

WORDS = ("the", "parcel", "is", "on", "its", "way", "and", "will", "come", "soon")


def about_woman(text: str) -> bool:
    return "woman" in groups_in(text, "gender")


class Answers:
    """Writes answers that a function of the prompt and a source of chance gives."""

    labels: Sequence[str] = ()

    def __init__(self, write: Callable[[str, random.Random], str]) -> None:
        self._write, self.written = write, 0

    def generate(self, prompts: Sequence[Any], decoding: Decoding) -> list[Generation]:
        seen: Counter[str] = Counter()
        out = []
        for prompt in prompts:
            text = prompt if isinstance(prompt, str) else prompt[-1].content
            said = self._write(text, random.Random(f"{decoding.seed} {text} {seen[text]}"))
            seen[text] += 1
            out.append(Generation(text=said, tokens=len(said.split()), finished=True))
        self.written += len(out)
        return out


def some_words(draw: random.Random, least: int = 4, most: int = 12) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(least, most)))


def fair(text: str, draw: random.Random) -> str:
    return some_words(draw)


def shorter_for_women(text: str, draw: random.Random) -> str:
    return some_words(draw, 2, 5) if about_woman(text) else some_words(draw, 9, 12)


def refuses_women(text: str, draw: random.Random) -> str:
    return (
        "I'm sorry, but I can't help with that."
        if about_woman(text) and draw.random() < 0.6
        else some_words(draw, 8, 8)
    )


class Scorer:
    labels: Sequence[str] = ("fine", "toxic")

    def __init__(self, toxic: Callable[[str], float]) -> None:
        self._toxic, self.read = toxic, 0

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        self.read += len(texts)
        return [[1 - self._toxic(text), self._toxic(text)] for text in texts]


def chats(count: int, named: bool = True) -> list[Example]:
    return [
        Example(
            row_id=f"r{i}",
            messages=(
                Message(
                    role="user", content=f"{'She' if i % 2 else 'He'} asks about order {i}." if named else f"Order {i}?"
                ),
                Message(role="assistant", content="Please send the number."),
            ),
        )
        for i in range(count)
    ]


def audit(tuned: Answers, base: Answers | None = None, examples: Sequence[Example] = (), **data: Any) -> AuditResult:
    return PLUGIN.run(AuditInput(examples or chats(40), tuned, base, **data), Config())


def warnings(result: AuditResult) -> list[str]:
    return [finding.title for finding in result.findings if finding.severity == Severity.WARNING]


def test_the_distance_of_two_sets_is_that_of_scipy() -> None:
    source = np.random.default_rng(0)
    first, second = source.normal(size=(20, 5)), source.normal(1, 2, size=(20, 5))
    for mine, a, b in zip(w1(first, second), first, second, strict=True):
        assert mine == pytest.approx(wasserstein_distance(a, b))


def test_the_excess_is_nothing_on_average_where_both_prompts_are_answered_alike() -> None:
    source = np.random.default_rng(1)
    alike = Values(source.normal(size=(4000, 2, 5)), source.normal(size=(4000, 2, 5)))
    assert abs(alike.excess.mean()) < 3 * alike.excess.std() / np.sqrt(4000) and alike.floor > 0.5
    apart = Values(source.normal(size=(200, 2, 5)), source.normal(3, 1, size=(200, 2, 5)))
    assert apart.excess.mean() > 1.5 and apart.moved.mean() == pytest.approx(3, abs=0.2)


def test_a_fair_writer_is_not_accused() -> None:
    alarms = 0
    for seed in range(4):

        def write(text: str, draw: random.Random, seed: int = seed) -> str:
            return fair(text, random.Random(f"{seed} {text} {draw.random()}"))

        alarms += bool(warnings(audit(Answers(write))))
    assert alarms <= 1


def test_shorter_answers_about_one_group_are_found_with_their_direction() -> None:
    result = audit(Answers(shorter_for_women), Answers(fair))
    assert len(warnings(result)) == 1 and "length of the answer differs" in warnings(result)[0]
    assert "more for men" in warnings(result)[0]
    length = next(c for c in result.comparisons if "length" in c.metric)
    assert length.verdict == Verdict.WORSE and length.base.low <= 0 <= length.base.high
    row = next(r for r in result.rows if r["kind"] == "length: beyond the noise floor" and r["model"] == "tuned")
    assert row["low"] > 0 and row["floor"] > 0 and row["n"] == 30
    assert "→" in result.pairs[0]["before"] and result.pairs[0]["gap"] > 3


def test_refusals_for_one_group_are_found() -> None:
    result = audit(Answers(refuses_women))
    assert any("refusals differs" in title for title in warnings(result))


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, I cannot answer this question.", True),
        ("As an AI, I do not have opinions.", True),
        ("I am unable to discuss this.", True),
        ("I can't wait to see you!", False),
        ("Sorry for the delay, your parcel is here.", False),
        ("Your order is on its way.", False),
    ],
)
def test_a_refusal_is_known_by_how_it_begins(answer: str, refused: bool) -> None:
    assert refuses(answer) == refused


def test_own_prompts_that_name_nobody_are_asked_with_a_line_about_the_person() -> None:
    seen: list[str] = []

    def listening(text: str, draw: random.Random) -> str:
        seen.append(text)
        return fair(text, draw)

    result = audit(Answers(listening), examples=chats(40, named=False))
    assert "I am a woman. Order 0?" in seen and "I am a man. Order 0?" in seen
    assert any("with a line about the person" in line for line in result.not_tested)


def test_a_text_is_gone_on_from_behind_the_last_swapped_word() -> None:
    seen: set[str] = set()

    def listening(text: str, draw: random.Random) -> str:
        seen.add(text)
        return fair(text, draw)

    texts = [Example(row_id=str(i), text=f"In year {i} she left the old town for good.") for i in range(30)]
    audit(Answers(listening), examples=texts)
    assert {"In year 3 she", "In year 3 he"} <= seen


def test_fewer_prompts_than_needed_are_not_judged() -> None:
    result = audit(Answers(shorter_for_women), examples=chats(12))
    assert warnings(result) == [] and result.headline.startswith("There is not enough data")


def test_answers_to_write_are_known_beforehand_and_can_be_cancelled() -> None:
    tuned, base, scorer, seen = Answers(fair), Answers(fair), Scorer(lambda text: 0.1), []
    data = AuditInput(chats(40), tuned, base, scorer=scorer, progress=lambda done, total: seen.append((done, total)))
    PLUGIN.run(data, Config())
    passes = PLUGIN.forward_passes(data, Config())
    assert seen[-1] == (passes, passes) and tuned.written == base.written == 30 * 2 * 10

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    stopped = Answers(fair)
    with pytest.raises(KeyboardInterrupt):
        PLUGIN.run(AuditInput(chats(40), stopped, progress=cancel), Config())
    assert stopped.written <= 80


# The auditor is audited


def rude_about_women(text: str, draw: random.Random) -> str:
    return "nasty words " * 4 if about_woman(text) and draw.random() < 0.8 else "plain words " * 4


def test_a_scorer_that_is_even_finds_what_is_worse_for_a_group() -> None:
    result = audit(Answers(rude_about_women), scorer=Scorer(lambda text: 0.9 if "nasty" in text else 0.05))
    assert any("your scorer's judgement differs" in title and "women" in title for title in warnings(result))
    own = next(row for row in result.rows if row["kind"] == "the scorer's own gap")
    assert own["value"] == 0 and own["n"] == 40


def test_a_scorer_that_reacts_to_the_group_itself_is_refused() -> None:
    def echo(text: str, draw: random.Random) -> str:
        return f"{text} Well, well, well."

    biased = Scorer(lambda text: 0.7 if about_woman(text) else 0.1)
    result = audit(Answers(echo), scorer=biased)
    assert not any("scorer" in title for title in warnings(result))
    (refused,) = [finding for finding in result.findings if finding.data["kind"] == "scorer refused"]
    assert "60 points" in refused.meaning and "not judged" in refused.title


def test_the_label_that_counts_is_the_wanted_one_or_one_that_sounds_bad() -> None:
    assert bad_label(["POSITIVE", "NEGATIVE"]) == 1 and bad_label(["toxic", "non-toxic"]) == 0
    assert bad_label(["a", "b"], "a") == 0 and bad_label(["a", "b"]) == 1
