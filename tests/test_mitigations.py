"""Corrective actions change the training data as previewed, and what they change works."""

from __future__ import annotations

import random

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from core.audits.neutral_probes import PLUGIN as PROBE_AUDIT
from core.audits.neutral_probes import Config as ProbeConfig
from core.data.gates import verify
from core.mitigations import registry
from core.mitigations.counterfactual_augmentation import PLUGIN, Config
from core.schemas.audits import AuditInput, AuditResult, GateState
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message

ROWS = [
    Example(row_id="a", text="She asked about her invoice.", label="billing"),
    Example(row_id="b", text="The man moved his appointment.", label="dates"),
    Example(row_id="c", text="The parcel came late.", label="delivery"),
    Example(row_id="d", text="She is pregnant and moved her flight.", label="dates"),
    Example(row_id="e", text="My uncle lost the key.", label="other"),
]


def test_every_action_declares_what_a_screen_needs() -> None:
    assert "counterfactual_augmentation" in registry()
    for plugin in registry().values():
        assert plugin.title and plugin.help and plugin.families
        assert plugin.verify_with or plugin.changes == "output"  # rules for answers are measured by themselves
        for field in plugin.config.model_fields.values():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            assert field.title and (field.description or extra.get("form") is False)


def test_copies_keep_the_label_and_say_where_they_come_from() -> None:
    made = PLUGIN.apply(ROWS, Config())
    assert {(e.row_id, e.text, e.label) for e in made.examples} == {
        ("a~cf1", "He asked about his invoice.", "billing"),
        ("b~cf1", "The woman moved her appointment.", "dates"),
        ("e~cf1", "My aunt lost the key.", "other"),
    }
    assert made.sources == {"a~cf1": "a", "b~cf1": "b", "e~cf1": "e"}
    assert any("pregnancy" in reason for reason in made.left_out)


def test_the_preview_shows_what_will_be_added() -> None:
    shown = PLUGIN.preview(ROWS, Config())
    made = {example.row_id: example.text for example in PLUGIN.apply(ROWS, Config()).examples}
    assert {preview.row_id: preview.after for preview in shown} == made
    assert ("She", "He") in next(preview for preview in shown if preview.source_id == "a").replaced
    assert len(PLUGIN.preview(ROWS * 1, Config(), n=2)) == 2


def test_a_struck_copy_is_left_out_and_the_others_keep_their_ids() -> None:
    made = PLUGIN.apply(ROWS, Config(), struck={"a~cf1"})
    assert [example.row_id for example in made.examples] == ["b~cf1", "e~cf1"]
    assert made.left_out["you struck the copy"] == 1


def test_copies_are_not_copied_again_in_a_second_round() -> None:
    once = PLUGIN.apply(ROWS, Config())
    with pytest.raises(UserError, match="nothing to add"):
        PLUGIN.apply([*ROWS, *once.examples], Config())


def test_a_copy_that_stands_in_the_test_split_is_left_out() -> None:
    test_row = Example(row_id="t", text="he asked about  his invoice.", label="billing")
    made = PLUGIN.apply(ROWS, Config(), held_out=[test_row])
    assert "a~cf1" not in made.sources
    assert made.left_out["the copy is the same as a validation or test row"] == 1


def test_the_share_of_rows_is_kept_and_does_not_depend_on_their_order() -> None:
    many = [Example(row_id=f"r{i}", text=f"She asked about order {i}.", label="x") for i in range(400)]
    half = PLUGIN.apply(many, Config(share=0.5))
    assert 160 < len(half.examples) < 240
    assert set(PLUGIN.apply(many[::-1], Config(share=0.5)).sources) == set(half.sources)


def test_more_copies_cover_more_groups() -> None:
    rows = [Example(row_id=f"r{i}", text=f"The Muslim guest ordered {i} teas.", label="x") for i in range(60)]
    one = PLUGIN.apply(rows, Config(axes=("religion",)))
    three = PLUGIN.apply(rows, Config(axes=("religion",), copies=3))
    assert (len(one.examples), len(three.examples)) == (60, 180)
    named = {preview.to_group for preview in PLUGIN.preview(rows, Config(axes=("religion",)), n=60)}
    assert len(named) == 6


def test_a_conversation_is_copied_whole() -> None:
    row = Example(
        row_id="q",
        messages=(Message(role="user", content="Where is she?"), Message(role="assistant", content="She is at home.")),
    )
    (copy,) = PLUGIN.apply([row], Config()).examples
    assert [m.content for m in copy.messages] == ["Where is he?", "He is at home."]


def test_other_languages_are_refused_with_a_reason() -> None:
    with pytest.raises(UserError) as error:
        PLUGIN.apply(ROWS, Config(language="fr"))
    assert "gender" in error.value.cause and error.value.fix


def test_labels_about_the_group_are_refused() -> None:
    rows = [Example(row_id="1", text="She came.", label="female"), Example(row_id="2", text="He came.", label="male")]
    with pytest.raises(UserError) as error:
        PLUGIN.preview(rows, Config())
    assert "wrong label" in error.value.cause


def test_rows_that_name_nobody_are_refused_with_a_reason() -> None:
    with pytest.raises(UserError, match="nothing to add"):
        PLUGIN.apply([ROWS[2]], Config())


class TfIdf:
    def __init__(self, examples: list[Example]) -> None:
        self._model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
        self._model.fit([e.text for e in examples], [e.label for e in examples])
        self.labels = [str(label) for label in self._model.classes_]

    def classify(self, texts: list[str]) -> list[list[float]]:
        return self._model.predict_proba(texts).tolist()


def _messages(count: int, seed: int, tied: bool, vague: float) -> list[Example]:
    """Complaints and thanks with telling words, save for a vague share. Where `tied`, complaints are by women."""
    draw = random.Random(seed)
    telling = {"complaint": ("broken", "late", "rude", "wrong"), "thanks": ("great", "quick", "kind", "perfect")}
    rows = []
    for i in range(count):
        label = draw.choice(("complaint", "thanks"))
        woman = draw.random() < ((0.9 if label == "complaint" else 0.1) if tied else 0.5)
        word = draw.choice(telling[label]) if draw.random() >= vague else "fine"
        rows.append(
            Example(row_id=f"{seed}-{i}", text=f"The {'woman' if woman else 'man'} said it was {word}.", label=label)
        )
    return rows


def test_augmentation_closes_a_planted_gap_and_passes_the_double_gate() -> None:
    train, validation, test = _messages(400, 1, True, 0.15), _messages(150, 2, True, 0.15), _messages(300, 3, False, 0)
    copies = PLUGIN.apply(train, Config()).examples
    before, after = TfIdf(train), TfIdf([*train, *copies])
    config = ProbeConfig(axes=("gender", "age"), templates=40)

    def audited(model: TfIdf) -> AuditResult:
        return PROBE_AUDIT.run(AuditInput(examples=validation, tuned=model), config)

    def right(model: TfIdf) -> dict[str, float]:
        answers = model.classify([row.text for row in test])
        best = [model.labels[max(range(2), key=lambda k: p[k])] for p in answers]
        return {row.row_id: float(label == row.label) for row, label in zip(test, best, strict=True)}

    result = verify(audited(before), audited(after), right(before), right(after), axes=("gender",))
    assert result.state == GateState.VERIFIED, result.reasons
    assert result.gap_change is not None and result.gap_change.value < -0.1
    assert verify(audited(after), audited(before), right(after), right(before)).state == GateState.REFUSED
