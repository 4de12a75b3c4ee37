"""What the task types declare, and how a row of each becomes an example."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.metrics import registry as metrics
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.recipe import Recipe
from core.tasks import registry as tasks

ROOT = Path(__file__).resolve().parents[1]
CHAT = tasks()["chat"]
CLASSIFICATION = tasks()["classification"]
COMPLETION = tasks()["completion"]


def turns(example) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in example.messages]


def chat_of(conversation: object) -> list[tuple[str, str]] | None:
    cell = conversation if isinstance(conversation, str) else json.dumps(conversation)
    example = CHAT.to_example({"talk": cell}, {"messages": "talk"}, "r1")
    return None if example is None else turns(example)


def test_the_tasks_come_in_the_order_in_which_a_person_meets_them() -> None:
    assert list(tasks()) == ["classification", "multi_label", "regression", "chat", "text_to_text", "completion"]


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.key)
def test_a_task_names_metrics_and_settings_that_exist(task) -> None:
    assert set(task.metrics) <= set(metrics())
    assert task.headline_metric in task.metrics
    assert Recipe(best_metric=task.best_metric)
    assert task.family in FAMILIES and task.best_metric in ("eval_loss", *FAMILIES[task.family].figures)
    assert task.title and task.help and task.choose_when
    assert all(role.title and role.help for role in task.roles)


def test_the_tasks_come_without_torch() -> None:
    code = "import sys; from core.tasks import registry; registry(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# -- roles -------------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_named_in_the_error() -> None:
    with pytest.raises(UserError) as caught:
        CLASSIFICATION.check_roles({"text": "message"})
    assert "Category" in caught.value.cause


def test_one_column_cannot_have_two_jobs() -> None:
    with pytest.raises(UserError, match="two jobs"):
        CLASSIFICATION.check_roles({"text": "message", "label": "message"})


@pytest.mark.parametrize("roles", [{"messages": "talk"}, {"prompt": "q", "response": "a"}])
def test_a_chat_needs_conversations_or_questions_with_answers(roles) -> None:
    CHAT.check_roles(roles)


@pytest.mark.parametrize("roles", [{}, {"prompt": "q"}, {"response": "a"}, {"messages": ""}])
def test_a_chat_without_both_sides_is_refused(roles) -> None:
    with pytest.raises(UserError):
        CHAT.check_roles(roles)


# -- classification and completion -------------------------------------------------------------------------------------


def test_a_labelled_text_loses_stray_blanks_around_it() -> None:
    row = {"t": " Where is it? ", "l": "delivery\u00a0"}
    example = CLASSIFICATION.to_example(row, {"text": "t", "label": "l"}, "r1")
    assert (example.row_id, example.text, example.label) == ("r1", "Where is it?", "delivery")


@pytest.mark.parametrize("row", [{"t": "", "l": "a"}, {"t": " \n", "l": "a"}, {"t": "x", "l": None}, {"t": "x"}])
def test_a_row_without_text_or_label_is_skipped(row) -> None:
    assert CLASSIFICATION.to_example(row, {"text": "t", "label": "l"}, "r1") is None


def test_a_completion_keeps_its_text_as_it_is() -> None:
    assert COMPLETION.to_example({"t": "  Indented.\n"}, {"text": "t"}, "r1").text == "  Indented.\n"
    assert COMPLETION.to_example({"t": " \n "}, {"text": "t"}, "r1") is None


def test_the_prompt_for_the_base_model_names_the_labels_unless_they_are_too_many() -> None:
    few = CLASSIFICATION.label_prompt("Where is it?", ["billing", "delivery"])
    many = CLASSIFICATION.label_prompt("Where is it?", [f"label {i}" for i in range(77)])
    assert "billing, delivery" in few
    assert "label 3" not in many
    assert few.endswith("Text: Where is it?\nCategory: ") and many.endswith("Text: Where is it?\nCategory: ")


# -- chat --------------------------------------------------------------------------------------------------------------


def test_question_context_and_system_prompt_make_one_turn_and_a_standing_instruction() -> None:
    roles = {"prompt": "q", "context": "c", "response": "a", "system": "s"}
    row = {"q": "Sum this up.", "c": "A long text.", "a": "Short.", "s": "Be brief."}
    assert turns(CHAT.to_example(row, roles, "r1")) == [
        ("system", "Be brief."),
        ("user", "Sum this up.\n\nA long text."),
        ("assistant", "Short."),
    ]


@pytest.mark.parametrize("row", [{"q": "", "a": "x"}, {"q": "x", "a": " "}, {"q": None, "a": None}])
def test_a_question_without_an_answer_is_skipped(row) -> None:
    assert CHAT.to_example(row, {"prompt": "q", "response": "a"}, "r1") is None


OPENAI = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
SHAREGPT = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]
PARTS = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, OPENAI[1]]


@pytest.mark.parametrize("shape", [OPENAI, SHAREGPT, PARTS, {"messages": OPENAI}, {"conversations": SHAREGPT}])
def test_conversations_are_read_in_each_common_shape(shape) -> None:
    assert chat_of(shape) == [("user", "Hi"), ("assistant", "Hello!")]


def test_a_conversation_may_be_a_list_that_the_file_already_held() -> None:
    example = CHAT.to_example({"talk": OPENAI}, {"messages": "talk"}, "r1")
    assert turns(example) == [("user", "Hi"), ("assistant", "Hello!")]


@pytest.mark.parametrize(
    "cell", ["", "Hello there", "[1, 2]", '{"a": 1}', "[" * 100_000, '[{"role": "tool", "content": "4"}]', "null"]
)
def test_what_is_no_conversation_is_skipped(cell) -> None:
    assert chat_of(cell) is None


def test_a_conversation_is_brought_into_turns_that_every_template_takes() -> None:
    talk = [("gpt", "Welcome!"), ("human", "One"), ("human", "two"), ("gpt", ""), ("gpt", "Three"), ("human", "Bye")]
    assert chat_of([{"from": who, "value": words} for who, words in talk]) == [
        ("user", "One\n\ntwo"),
        ("assistant", "Three"),
    ]


def test_a_conversation_with_a_system_prompt_keeps_its_own() -> None:
    talk = json.dumps([{"role": "system", "content": "Be kind."}, *OPENAI])
    example = CHAT.to_example({"talk": talk, "s": "Be brief."}, {"messages": "talk", "system": "s"}, "r1")
    assert turns(example)[0] == ("system", "Be kind.")


@pytest.mark.shared_data
def test_every_row_of_the_public_conversations_becomes_an_example(shared_data: Path) -> None:
    talks = json.loads((shared_data / "sharegpt_fastchat" / "dummy_conversation.json").read_text("utf-8"))
    assert all(chat_of(talk["conversations"]) for talk in talks)
    lines = (shared_data / "nasty" / "chat_messages.jsonl").read_text("utf-8").splitlines()
    read = [chat_of(json.loads(line)) for line in lines]
    assert len(read) == 40
    assert sum(talk[0][0] == "system" for talk in read) == 20
