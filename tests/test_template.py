"""A chat template is judged by the tokens that training would see, and cannot harm whoever tries it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_tokenizers import CHATML, GENERATION_TAGS, STRICT, byte_level, sentence_pieces

from core.data.encoding import Codec
from core.data.template_check import PROBE, check
from core.data.template_sandbox import environment
from core.data.template_trial import refuse_harmful
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan

LOOP = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + BODY }}{% endfor %}"
OPEN = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"


def template(body: str, opening: str = OPEN) -> str:
    return LOOP.replace("BODY", body) + opening


def judged(folder: Path, given: str, **plan: str) -> dict[str, list[str]]:
    codec = Codec.from_folder(folder, "causal-lm", PreparationPlan(chat_template=given, **plan))
    found: dict[str, list[str]] = {"good": [], "warning": [], "error": []}
    for verdict in check(codec):
        found[verdict.level].append(verdict.title)
        assert verdict.level == "good" or (verdict.cause and verdict.fix)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level(tmp_path_factory.mktemp("tokenizer"), CHATML)


@pytest.fixture(scope="module")
def opening_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level(tmp_path_factory.mktemp("tokenizer"), begin=True)


@pytest.mark.parametrize("given", ["", CHATML, GENERATION_TAGS, template("m['content'] + eos_token + '\\n'")])
def test_a_right_template_passes_every_check(folder: Path, given: str) -> None:
    found = judged(folder, given)
    assert found["error"] == found["warning"] == [] and len(found["good"]) == 4


def test_the_plain_template_of_a_model_without_one_is_right(opening_folder: Path, tmp_path: Path) -> None:
    assert judged(opening_folder, "")["error"] == judged(sentence_pieces(tmp_path), "")["error"] == []
    assert "The start token <s> stands there once" in judged(opening_folder, "")["good"]


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (template("m['content'] + '\\n'"), "The model would not learn where an answer ends"),
        (template("m['content'] + '<|im_end|>\\n'", ""), "The model would not be told that it is its turn"),
        (
            template("m['content'] + '<|im_end|>\\n'", "{{ 'assistant:' }}"),
            "It would be asked differently than it was trained",
        ),
        (template("(m['content'] if m['role'] == 'user' else '') + '<|im_end|>\\n'"), "Some words are left out"),
        (template("m['content'].upper() + '<|im_end|>\\n'"), "Some words are left out"),
        (CHATML.replace("in messages", "in messages[::-1]"), "The order is wrong"),
    ],
)
def test_a_wrong_template_is_an_error_with_its_fix(folder: Path, given: str, title: str) -> None:
    assert title in judged(folder, given)["error"]


def test_a_second_start_token_is_found(opening_folder: Path) -> None:
    assert (
        "The start token stands there twice" in judged(opening_folder, "{{ bos_token + bos_token }}" + CHATML)["error"]
    )
    assert "The start token is missing" in judged(opening_folder, CHATML)["warning"]
    repeated = CHATML.replace("{{ '<", "{{ bos_token + '<")
    assert "The start token stands in the middle" in judged(opening_folder, repeated)["warning"]


def test_marks_that_are_no_tokens_and_a_lost_system_prompt_are_found(folder: Path) -> None:
    strange = CHATML.replace("<|im_start|>", "<|begin|>")
    assert judged(folder, strange)["warning"] == ["A mark is unknown to this model"]
    deaf = CHATML.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}")
    assert judged(folder, deaf, system_prompt="Be kind.")["error"] == ["The system prompt is left out"]
    assert judged(folder, STRICT, system_prompt="Be kind.")["error"] == ["The system prompt is refused"]


def test_a_mistake_is_named_with_its_line() -> None:
    with pytest.raises(UserError) as caught:
        refuse_harmful("{% for m in messages %}\n{{ m['content'] }\n{% endfor %}", [PROBE], {})
    assert "line 2" in caught.value.cause and caught.value.title == "The chat template cannot be read."
    with pytest.raises(UserError) as caught:
        refuse_harmful("{% for m in messages %}\n\n{{ m.nothing.at_all }}{% endfor %}", [PROBE], {})
    assert "line 3" in caught.value.cause


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ messages.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''.__class__.__base__.__subclasses__()[0].__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('touch MARK') }}",
        "{{ lipsum.__globals__['os'].popen('touch MARK').read() }}",
        "{% set x = namespace(t='a') %}{% for i in range(90000) %}{% set x.t = x.t ~ x.t %}{% endfor %}{{ x.t }}",
        "{{ 'a' * 99999999999 }}",
    ],
)
def test_a_hostile_template_runs_nothing_and_harms_nobody(hostile: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(UserError) as caught:
        refuse_harmful(hostile.replace("MARK", str(mark)), [PROBE], {})
    assert not mark.exists() and caught.value.fix


def test_the_trial_has_the_environment_of_transformers() -> None:
    from transformers.utils.chat_template_utils import _compile_jinja_template

    theirs, ours = _compile_jinja_template("{{ messages }}").environment, environment()
    assert (theirs.trim_blocks, theirs.lstrip_blocks, theirs.sandboxed) == (
        ours.trim_blocks,
        ours.lstrip_blocks,
        ours.sandboxed,
    )
    assert set(theirs.globals) == set(ours.globals) and set(theirs.filters) == set(ours.filters)
    tags = [{tag for e in found.extensions.values() for tag in e.tags} for found in (theirs, ours)]
    assert tags[0] == tags[1] and type(theirs).__mro__[:2] == type(ours).__mro__[:2]


def test_a_harmless_template_passes_the_trial() -> None:
    refuse_harmful(CHATML, [PROBE], {"eos_token": "</s>"})
    refuse_harmful(GENERATION_TAGS, [PROBE], {"eos_token": "</s>"})
