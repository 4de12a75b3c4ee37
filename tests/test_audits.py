"""The audits find the bias that was planted, stay quiet where there is none, and are not fooled by a model that
decides nothing."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from core.audits import registry
from core.audits._measure import PROBABILITY, Measured, Pair, compare_gaps, gap_of, shifts_of
from core.audits.counterfactual_swap import Config as SwapConfig
from core.audits.data_coverage import Config as CoverageConfig
from core.audits.neutral_probes import Config as ProbeConfig
from core.data.group_rates import pmi
from core.data.identity import groups_in
from core.schemas.audits import AuditInput, AuditResult
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.examples import Example, Message
from core.schemas.findings import Severity
from core.schemas.predictor import Decoding, Generation, Score

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
AUDITS = registry()
PROBES = ProbeConfig(axes=("gender", "age"), templates=40)
TOPICS = ("the invoice", "the delivery", "a refund", "the contract", "the parcel", "an appointment", "the account")
VERBS = ("asked about", "wrote about", "called about", "waited for", "mentioned", "forgot", "described")
PLACES = ("on Monday", "at noon", "in the office", "by letter", "last week", "again", "in spring")


class Classifier:
    """Says "yes" with the probability that a function of the text gives."""

    labels: Sequence[str] = ("no", "yes")

    def __init__(self, yes: Callable[[str], float]) -> None:
        self._yes = yes
        self.read = 0

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        self.read += len(texts)
        return [[1 - self._yes(text), self._yes(text)] for text in texts]


def fair(text: str) -> float:
    return 0.8 if "invoice" in text or "station" in text else 0.3


def against_women(text: str) -> float:
    return max(0.0, fair(text) - (0.25 if "woman" in groups_in(text, "gender") else 0.0))


def always_no(text: str) -> float:
    return 0.001


class Writer:
    """A language model whose likelihood of an answer depends on the prompt in the given way."""

    labels: Sequence[str] = ()

    def __init__(self, nats_a_byte: Callable[[str], float], words: Callable[[str], int] = lambda text: 5) -> None:
        self._nats, self._words = nats_a_byte, words

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        found = []
        for prompt, answer in zip(prompts, answers, strict=True):
            size = len(answer.encode())
            found.append(Score(nll=self._nats(_text(prompt)) * size, tokens=size, correct=0, n_bytes=size))
        return found

    def generate(self, prompts: Sequence[Sequence[Message] | str], decoding: Decoding) -> list[Generation]:
        noise = random.Random(decoding.seed)
        texts = [" ".join(["word"] * (self._words(_text(p)) + noise.randrange(2))) for p in prompts]
        return [Generation(text=text, tokens=len(text.split()), finished=True) for text in texts]


def _text(prompt: Sequence[Message] | str) -> str:
    return prompt if isinstance(prompt, str) else " ".join(message.content for message in prompt)


def rows(
    count: int, seed: int = 0, women: float = 0.5, label: Callable[[bool, random.Random], str] | None = None
) -> list[Example]:
    """Messages about a woman or a man; the label is chance unless a rule is given."""
    draw = random.Random(seed)
    made = []
    for i in range(count):
        woman = draw.random() < women
        text = f"The {'woman' if woman else 'man'} {draw.choice(VERBS)} {draw.choice(TOPICS)} {draw.choice(PLACES)}."
        chosen = label(woman, draw) if label else draw.choice(("no", "yes"))
        made.append(Example(row_id=f"r{i}", text=text, label=chosen))
    return made


def warnings(result: AuditResult) -> list[str]:
    return [finding.title for finding in result.findings if finding.severity == Severity.WARNING]


def audit(key: str, config: object, **data: object) -> AuditResult:
    return AUDITS[key].run(AuditInput(**data), config)  # type: ignore[arg-type]


def test_every_audit_declares_what_a_screen_needs() -> None:
    assert list(AUDITS)[:4] == ["data_coverage", "group_results", "counterfactual_swap", "neutral_probes"]
    for plugin in AUDITS.values():
        assert plugin.title and plugin.help and plugin.families
        for field in plugin.config.model_fields.values():
            assert field.title and field.description


# The data


def planted(woman: bool, draw: random.Random) -> str:
    return "yes" if draw.random() < (0.35 if woman else 0.7) else "no"


def test_a_label_tied_to_a_group_is_found_in_the_text() -> None:
    result = audit("data_coverage", CoverageConfig(), examples=rows(600, label=planted))
    assert len(warnings(result)) == 1
    finding = result.findings[0]
    assert finding.data["axis"] == "gender" and finding.data["ratio"] < 0.8 and finding.data["q"] < 0.05
    assert finding.title.startswith("Rows about women are labelled “yes” less often than rows about men")
    assert finding.estimate is not None and finding.estimate.high < 0
    assert "gender" in result.headline


def test_a_group_column_is_used_like_words_in_the_text() -> None:
    examples = [
        Example(row_id=str(i), text="The parcel came.", label="yes" if i % 10 < 3 + 4 * (i % 2) else "no")
        for i in range(400)
    ]
    groups = {"region": {str(i): "north" if i % 2 else "south" for i in range(400)}}
    result = audit("data_coverage", CoverageConfig(), examples=examples, groups=groups)
    assert len(warnings(result)) == 1 and "“north”" in warnings(result)[0]
    assert audit("data_coverage", CoverageConfig(), examples=examples).findings[0].severity == Severity.INFO


def test_in_another_language_a_group_column_can_still_be_judged() -> None:
    examples = [Example(row_id=str(i), text="Der Brief kam.", label="ja" if i % 3 else "nein") for i in range(100)]
    groups = {"region": {str(i): "nord" if i % 2 else "sued" for i in range(100)}}
    result = audit("data_coverage", CoverageConfig(), examples=examples, groups=groups, language="xx")
    assert result.rows and any("“xx”" in reason for reason in result.not_tested)
    with pytest.raises(UserError):
        audit("data_coverage", CoverageConfig(), examples=examples, language="xx")


def test_a_group_of_three_rows_is_not_judged() -> None:
    examples = [
        *rows(200, women=0.0),
        *(Example(row_id=f"w{i}", text="The woman wrote.", label="no") for i in range(3)),
    ]
    result = audit("data_coverage", CoverageConfig(), examples=examples)
    assert warnings(result) == []
    assert any("Not enough data about women" in finding.title for finding in result.findings)
    assert "not enough" in result.headline and not any(f.severity == Severity.GOOD for f in result.findings)


def test_unbiased_data_raise_at_most_five_false_alarms_in_a_hundred() -> None:
    alarms = 0
    for seed in range(100):
        draw = random.Random(seed)
        examples = [Example(row_id=str(i), text="x", label=draw.choice(("no", "yes"))) for i in range(200)]
        groups = {
            "gender": {example.row_id: draw.choice("mw") for example in examples},
            "region": {example.row_id: draw.choice("nesw") for example in examples},
        }
        alarms += bool(warnings(audit("data_coverage", CoverageConfig(axes=()), examples=examples, groups=groups)))
    assert alarms <= 5


def test_a_quiet_result_says_how_small_a_difference_it_could_have_seen() -> None:
    result = audit("data_coverage", CoverageConfig(), examples=rows(200))
    assert warnings(result) == []
    assert "points could go unseen" in result.findings[0].meaning


def test_every_rate_has_n_and_an_interval() -> None:
    result = audit("data_coverage", CoverageConfig(), examples=rows(200))
    rates = [row for row in result.rows if row["kind"] == "label rate"]
    assert len(rates) == 4
    assert all(row["n"] > 0 and row["low"] <= row["value"] <= row["high"] for row in rates)


def test_texts_that_name_nobody_say_so_instead_of_giving_a_green_tick() -> None:
    examples = [Example(row_id=str(i), text="The parcel came.", label="yes") for i in range(50)]
    result = audit("data_coverage", CoverageConfig(), examples=examples)
    assert [finding.severity for finding in result.findings] == [Severity.INFO]
    assert result.not_tested


def test_rows_without_labels_are_counted_only() -> None:
    examples = [Example(row_id=str(i), messages=(Message(role="user", content="Where is she?"),)) for i in range(40)]
    result = audit("data_coverage", CoverageConfig(), examples=examples)
    assert {(row["kind"], row["n"]) for row in result.rows} == {("rows", 40), ("tone", 40)}
    assert any("no labels" in reason for reason in result.not_tested)


def test_pmi_is_zero_for_independent_and_one_bit_for_twice_as_often() -> None:
    assert pmi(100, 100, 100, 100) == 0
    assert pmi(10_000, 0, 0, 10_000) == pytest.approx(1, abs=0.001)


# The model


def test_a_fair_classifier_is_not_accused() -> None:
    for key, config in (("counterfactual_swap", SwapConfig()), ("neutral_probes", PROBES)):
        result = audit(key, config, examples=rows(120), tuned=Classifier(fair))
        assert warnings(result) == []
        assert result.headline.startswith("No noticeable difference")


def test_a_planted_bias_is_found_with_its_size_and_direction() -> None:
    for key, config in (("counterfactual_swap", SwapConfig()), ("neutral_probes", PROBES)):
        result = audit(key, config, examples=rows(120), tuned=Classifier(against_women), base=Classifier(fair))
        assert len(warnings(result)) == 2, warnings(result)
        assert "“no” is 25 points more likely when the text is about women" in warnings(result)
        gap = next(
            row for row in result.rows if row["kind"] == "gap" and row["axis"] == "gender" and row["model"] == "tuned"
        )
        assert gap["value"] == pytest.approx(0.25) and gap["n"] >= 40
        comparison = next(c for c in result.comparisons if c.metric == "Gender")
        assert comparison.verdict == Verdict.WORSE and comparison.change.n >= 40
        assert "larger for gender" in result.headline


def test_undoing_the_bias_is_called_better() -> None:
    result = audit("neutral_probes", PROBES, tuned=Classifier(fair), base=Classifier(against_women))
    assert next(c for c in result.comparisons if c.metric == "Gender").verdict == Verdict.BETTER
    assert "smaller for gender" in result.headline


def test_a_collapsed_model_is_not_called_fair() -> None:
    for key, config in (("counterfactual_swap", SwapConfig()), ("neutral_probes", PROBES)):
        result = audit(key, config, examples=rows(120), tuned=Classifier(always_no))
        assert "“no” for 100% of" in result.headline and "mean little" in result.headline
        assert result.findings[0].severity == Severity.WARNING
        assert result.top_class_share is not None and result.top_class_share.low > 0.9


def test_too_few_rows_are_not_judged() -> None:
    result = audit(
        "counterfactual_swap", SwapConfig(), examples=rows(12), tuned=Classifier(against_women), base=Classifier(fair)
    )
    assert warnings(result) == []
    assert result.headline.startswith("There is not enough data")
    assert {comparison.verdict for comparison in result.comparisons} == {Verdict.NOT_ENOUGH_DATA}


def test_rows_that_cannot_be_swapped_are_listed_as_not_tested() -> None:
    examples = [
        Example(row_id="1", text="She is pregnant.", label="yes"),
        Example(row_id="2", text="The invoice came.", label="no"),
    ]
    result = audit("counterfactual_swap", SwapConfig(), examples=examples, tuned=Classifier(fair))
    assert result.n == 0 and result.headline.startswith("Nothing could be tested")
    assert any("pregnancy" in reason for reason in result.not_tested)


def test_a_label_about_the_group_is_not_swapped() -> None:
    examples = [
        example.model_copy(update={"label": "female" if i % 2 else "male"}) for i, example in enumerate(rows(80))
    ]
    result = audit("counterfactual_swap", SwapConfig(), examples=examples, tuned=Classifier(against_women))
    assert result.n == 0
    assert any("itself about it" in reason for reason in result.not_tested)


@pytest.mark.parametrize(("key", "config"), [("counterfactual_swap", SwapConfig()), ("neutral_probes", PROBES)])
def test_the_number_of_texts_to_read_is_known_beforehand_and_progress_reaches_it(key: str, config: object) -> None:
    seen: list[tuple[int, int]] = []
    tuned, base = Classifier(fair), Classifier(fair)
    data = AuditInput(rows(60), tuned, base, progress=lambda done, total: seen.append((done, total)))
    AUDITS[key].run(data, config)
    passes = AUDITS[key].forward_passes(data, config)
    assert tuned.read + base.read == passes
    assert seen[-1] == (passes, passes)


def test_an_audit_can_be_cancelled() -> None:
    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        audit("neutral_probes", PROBES, tuned=Classifier(fair), progress=cancel)


def test_an_audit_without_a_model_is_refused_with_a_reason() -> None:
    with pytest.raises(UserError):
        audit("neutral_probes", ProbeConfig(), examples=rows(40))


def test_a_model_that_reacts_to_any_word_is_not_accused_of_bias() -> None:
    noisy = Classifier(lambda text: random.Random(text).uniform(0.3, 0.7))
    result = audit("neutral_probes", PROBES, tuned=noisy)
    control = next(row for row in result.rows if row["axis"] == "control")
    assert control["value"] > 0.1
    assert warnings(result) == []


def test_a_language_model_that_expects_less_of_a_group_is_found() -> None:
    even = Writer(lambda text: 1.0 + len(text) % 7 / 100)
    against = Writer(lambda text: (1.2 if "woman" in groups_in(text, "gender") else 1.0) + len(text) % 7 / 100)
    result = audit("neutral_probes", PROBES, tuned=against, base=even)
    assert any("Gender" in title for title in warnings(result)) and result.unit == "bits a byte"
    assert any("less likely when it is about women" in title for title in warnings(result))
    assert next(c for c in result.comparisons if c.metric == "Gender").verdict == Verdict.WORSE
    assert result.not_tested
    assert warnings(audit("neutral_probes", PROBES, tuned=even)) == []


def test_a_conversation_is_swapped_in_the_question_and_scored_on_the_same_answer() -> None:
    examples = [
        Example(
            row_id=str(i),
            messages=(
                Message(role="user", content=f"{'She' if i % 2 else 'He'} asks about order {i}."),
                Message(role="assistant", content="Please send us the number of the order."),
            ),
        )
        for i in range(60)
    ]
    against = Writer(lambda text: 1.3 if "She" in text else 1.0)
    result = audit("counterfactual_swap", SwapConfig(), examples=examples, tuned=against)
    assert result.n == 60 and any("Gender" in title for title in warnings(result))


def test_intervals_count_rows_not_swaps() -> None:
    pairs = [Pair(f"row {i // 6}", "religion", "muslim", f"group {i % 6}", "a", "b") for i in range(240)]
    after = np.random.default_rng(0).uniform(0, 1, (40, 1)).repeat(6, axis=0)
    measured = Measured(pairs, ("no", "yes"), np.tile([0.5, 0.5], (240, 1)), np.hstack([1 - after, after]), PROBABILITY)
    gap = gap_of(measured)
    alone = gap_of(Measured([p._replace(unit=str(i)) for i, p in enumerate(pairs)], *_rest(measured)))
    assert (gap.n, alone.n) == (40, 240)
    assert gap.high - gap.low > 2 * (alone.high - alone.low)


def test_the_gap_is_half_the_distance_of_the_probabilities_and_the_shift_its_direction() -> None:
    pairs = [Pair(str(i), "gender", "woman", "man", "a", "b") for i in range(30)]
    before, after = np.tile([0.7, 0.2, 0.1], (30, 1)), np.tile([0.5, 0.3, 0.2], (30, 1))
    measured = Measured(pairs, ("x", "y", "z"), before, after, PROBABILITY)
    assert gap_of(measured).value == pytest.approx(0.2)
    shifts = {(shift.group, shift.output): shift.estimate.value for shift in shifts_of(measured, "gender")}
    assert shifts["woman", "x"] == pytest.approx(0.2) and shifts["man", "x"] == pytest.approx(-0.2)
    assert compare_gaps("gap", measured, measured).verdict == Verdict.NO_EVIDENCE


def _rest(measured: Measured) -> tuple:
    return measured.outputs, measured.before, measured.after, measured.scale


# A trained classifier


class TfIdf(Classifier):
    """A word-count model, trained as a person's own model would be."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
        self._model.fit([e.text for e in examples], [e.label for e in examples])
        self.labels = [str(label) for label in self._model.classes_]

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        return self._model.predict_proba(list(texts)).tolist()


def test_a_classifier_trained_on_biased_data_is_found_and_one_on_fair_data_is_not() -> None:
    biased, unbiased = TfIdf(rows(500, label=planted)), TfIdf(rows(500))
    held_out = rows(150, seed=1)
    found = audit("neutral_probes", PROBES, examples=held_out, tuned=biased, base=unbiased)
    assert any("about women" in title for title in warnings(found))
    assert next(c for c in found.comparisons if c.metric == "Gender").verdict == Verdict.WORSE
    assert warnings(audit("neutral_probes", PROBES, examples=held_out, tuned=unbiased)) == []


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "flags"), [("bias_planted", 1), ("bias_none", 0)])
def test_the_planted_public_data_are_judged_as_made(name: str, flags: int) -> None:
    path = SHARED / "nasty" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the shared data is not here")
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    examples = [Example(row_id=str(i), text=row["text"], label=row["label"]) for i, row in enumerate(table)]
    column = {"gender": {str(i): row["gender"] for i, row in enumerate(table)}}
    by_text = audit("data_coverage", CoverageConfig(), examples=examples)
    assert len(warnings(by_text)) == flags
    blank = [example.model_copy(update={"text": "x"}) for example in examples]
    by_column = audit("data_coverage", CoverageConfig(), examples=blank, groups=column)
    assert len(warnings(by_column)) == flags
    if flags:
        data = by_column.findings[0].data
        assert (data["rate"], data["other_rate"], data["ratio"]) == (0.35, 0.7, 0.5)
