"""What becomes of an example: the tokens, which of them are learned, and what is cut, for each kind of tokenizer."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_tokenizers import CHATML, GENERATION_TAGS, STRICT, TEXTS, byte_level, sentence_pieces, word_pieces

from core.data.encoding import CONTINUED, Codec, Encoded
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.plan import PreparationPlan

ROOT = Path(__file__).resolve().parents[1]
LM, CLASSIFIER = "causal-lm", "classifier"
QUESTION, ANSWER = "Where is my order?", "It was sent on Monday."
TALK = [("user", QUESTION), ("assistant", ANSWER), ("user", "Thank you"), ("assistant", "Yes 🙂")]


def messages(turns: list[tuple[str, str]]) -> tuple[Message, ...]:
    return tuple(Message.model_validate({"role": role, "content": text}) for role, text in turns)


def talk(turns: list[tuple[str, str]] = TALK) -> Example:
    return Example(row_id="r1", messages=messages(turns))


def text_of(codec: Codec, encoded: Encoded, *, trained: bool) -> list[str]:
    """Decoded stretches of tokens that are (or are not) learned."""
    stretches: list[list[int]] = []
    before = None
    for token_id, counts in zip(encoded.ids, encoded.trained, strict=True):
        if counts == trained:
            if before != counts:
                stretches.append([])
            stretches[-1].append(token_id)
        before = counts
    return [codec.tokenizer.decode(stretch) for stretch in stretches]


@pytest.fixture
def plan() -> PreparationPlan:
    return PreparationPlan(max_length=512)


@pytest.fixture(params=["chatml", "generation tags", "plain", "plain with <s>", "sentence pieces"])
def chat_codec(request: pytest.FixtureRequest, tmp_path: Path, plan: PreparationPlan) -> Codec:
    folder = {
        "chatml": lambda: byte_level(tmp_path, CHATML),
        "generation tags": lambda: byte_level(tmp_path, GENERATION_TAGS),
        "plain": lambda: byte_level(tmp_path),
        "plain with <s>": lambda: byte_level(tmp_path, begin=True),
        "sentence pieces": lambda: sentence_pieces(tmp_path),
    }[request.param]()
    return Codec.from_folder(folder, LM, plan)


# -- conversations -----------------------------------------------------------------------------------------------------


def test_the_answers_and_their_ends_are_learned_and_nothing_else(chat_codec: Codec) -> None:
    end = "<|im_end|>" if chat_codec.tokenizer.chat_template else "</s>"
    learned = text_of(chat_codec, chat_codec.encode(talk()), trained=True)
    assert [stretch.strip() for stretch in learned] == [ANSWER + end, "Yes 🙂" + end]


def test_generation_begins_after_the_very_tokens_that_training_has_before_the_answer(chat_codec: Codec) -> None:
    encoded = chat_codec.encode(talk())
    prompt = chat_codec.prompt_ids(talk().messages[:3])
    assert list(encoded.ids[: len(prompt)]) == prompt
    assert encoded.trained[len(prompt)] and not encoded.trained[len(prompt) - 1]


def test_the_pieces_spell_the_rendered_conversation(chat_codec: Codec) -> None:
    encoded = chat_codec.encode(talk())
    assert "".join(encoded.pieces).replace(CONTINUED, "") == chat_codec.chat.render(talk().messages)
    assert len(encoded.pieces) == len(encoded.ids)
    smile = encoded.pieces.index("🙂")
    assert encoded.pieces[smile : smile + 4] == ("🙂", CONTINUED, CONTINUED, CONTINUED)


def test_the_preview_shows_what_training_gets(chat_codec: Codec) -> None:
    (trained,) = chat_codec.encode_all([talk()])
    shown = chat_codec.encode(talk())
    assert (trained.ids, trained.trained, trained.row_id) == (shown.ids, shown.trained, "r1")
    assert chat_codec.lengths([talk()]) == [len(shown.ids)]


def test_the_learned_tokens_are_those_that_the_template_itself_marks(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, GENERATION_TAGS), LM, plan)
    turns = [message.model_dump() for message in talk().messages]
    marked = codec.tokenizer.apply_chat_template(turns, return_assistant_tokens_mask=True, return_dict=True)
    encoded = codec.encode(talk())
    assert list(encoded.ids) == marked["input_ids"]
    assert list(encoded.trained) == [bool(m) for m in marked["assistant_masks"]]


def test_a_line_break_is_learned_where_a_turn_has_no_other_end(tmp_path: Path, plan: PreparationPlan) -> None:
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
    )
    codec = Codec.from_folder(byte_level(tmp_path, template), LM, plan)
    assert text_of(codec, codec.encode(talk(TALK[:2])), trained=True) == [f" {ANSWER}\n"]


def test_answers_are_found_where_a_template_rewrites_earlier_turns(tmp_path: Path, plan: PreparationPlan) -> None:
    template = (
        "{% for m in messages %}{% if not loop.last and m['role'] == 'user' %}{{ 'Q. ' }}{% else %}"
        "{{ m['role'] + '\\n' }}{% endif %}{{ m['content'] + '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant\\n' }}{% endif %}"
    )
    codec = Codec.from_folder(byte_level(tmp_path, template), LM, plan)
    encoded = codec.encode(talk([("user", ANSWER), *TALK[1:]]))
    assert "".join(encoded.pieces).startswith(f"Q. {ANSWER}<|im_end|>")
    assert text_of(codec, encoded, trained=True) == [ANSWER + "<|im_end|>", "Yes 🙂<|im_end|>"]


def test_a_short_answer_is_learned_where_a_template_thinks_before_the_last_one_alone(
    tmp_path: Path, plan: PreparationPlan
) -> None:
    """As Qwen 3 does; the letter stands in the word that announces the assistant too."""
    template = CHATML.replace(
        "m['content'] + '<",
        "('<think>\\n</think>\\n' if loop.last and m['role'] == 'assistant' else '') + m['content'].split('</think>')[-1] + '<",
    )
    codec = Codec.from_folder(byte_level(tmp_path, template), LM, plan)
    turns = [("user", "Which?"), ("assistant", "a"), ("user", "Which?"), ("assistant", "<think>Hm</think>b"), *TALK]
    learned = text_of(codec, codec.encode(talk(turns)), trained=True)
    assert learned == [f"{said}<|im_end|>" for said in ("a", "b", ANSWER, "<think>\n</think>\nYes 🙂")]


def test_the_system_prompt_of_the_plan_stands_before_conversations_that_have_none(tmp_path: Path) -> None:
    plan = PreparationPlan(max_length=512, system_prompt="Be kind.")
    codec = Codec.from_folder(byte_level(tmp_path, CHATML), LM, plan)
    own = talk([("system", "Be brief."), *TALK])
    assert "".join(codec.encode(talk()).pieces).startswith("<|im_start|>system\nBe kind.<|im_end|>")
    assert "Be kind." not in "".join(codec.encode(own).pieces)
    assert codec.prompt_text(messages(TALK[:1])).count("Be kind.") == 1
    assert codec.scored(messages(TALK[:1]), ANSWER)[0] == list(codec.encode(talk(TALK[:2])).ids)


def test_a_conversation_that_the_template_refuses_is_an_error_with_a_fix(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, STRICT), LM, plan)
    assert codec.encode(talk()).ids
    with pytest.raises(UserError) as caught:
        codec.encode(talk([("system", "Be kind."), *TALK]))
    assert "must alternate" in caught.value.cause and "system prompt" in caught.value.fix


def test_a_template_cannot_reach_out_of_its_sandbox(tmp_path: Path, plan: PreparationPlan) -> None:
    hostile = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
    codec = Codec.from_folder(byte_level(tmp_path, hostile), LM, plan)
    with pytest.raises(UserError, match="refuses"):
        codec.encode(talk())


# -- cutting -----------------------------------------------------------------------------------------------------------


def test_a_cut_answer_is_reported_with_what_was_cut(tmp_path: Path) -> None:
    folder = byte_level(tmp_path, CHATML)
    whole = Codec.from_folder(folder, LM, PreparationPlan(max_length=512)).encode(talk(TALK[:2]))
    short = Codec.from_folder(folder, LM, PreparationPlan(max_length=len(whole.ids) - 4)).encode(talk(TALK[:2]))
    assert short.ids + short.cut_ids == whole.ids
    assert short.pieces + short.cut == whole.pieces
    assert short.answer_cut and short.cut_side == "right" and any(short.trained)


def test_cutting_the_beginning_spares_a_last_answer(tmp_path: Path) -> None:
    folder = byte_level(tmp_path, begin=True)
    plan = PreparationPlan(max_length=24, truncation_side="left")
    encoded = Codec.from_folder(folder, LM, plan).encode(talk(TALK[:2]))
    assert (len(encoded.ids), encoded.cut_side, encoded.answer_cut) == (24, "left", False)
    assert encoded.pieces[0] == "<s>"
    assert "".join(encoded.pieces).endswith(ANSWER + "</s>\n")


def test_an_example_whose_answer_is_cut_off_whole_keeps_nothing_to_learn(tmp_path: Path) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, CHATML), LM, PreparationPlan(max_length=8))
    (encoded,) = codec.encode_all([talk(TALK[:2])])
    assert encoded.answer_cut and not any(encoded.trained)


def test_a_text_of_exactly_the_maximum_length_is_whole(tmp_path: Path) -> None:
    folder = byte_level(tmp_path)
    length = Codec.from_folder(folder, CLASSIFIER, PreparationPlan()).lengths([Example(row_id="1", text=QUESTION)])[0]
    codec = Codec.from_folder(folder, CLASSIFIER, PreparationPlan(max_length=max(8, length)))
    assert codec.encode(Example(row_id="1", text=QUESTION)).cut == ()


# -- plain texts -------------------------------------------------------------------------------------------------------


def test_a_completion_learns_every_token_that_has_one_before_it(tmp_path: Path, plan: PreparationPlan) -> None:
    encoded = Codec.from_folder(byte_level(tmp_path), LM, plan).encode(Example(row_id="1", text=QUESTION))
    assert encoded.pieces[-1] == "</s>"
    assert encoded.trained == (False, *[True] * (len(encoded.ids) - 1))
    assert "".join(encoded.pieces[:-1]) == QUESTION


def test_a_long_completion_becomes_parts_that_lose_nothing(tmp_path: Path) -> None:
    folder = byte_level(tmp_path, begin=True)
    example = Example(row_id="1", text=" ".join(TEXTS * 4))
    (whole,) = Codec.from_folder(folder, LM, PreparationPlan(max_length=4096)).encode_parts(example)
    codec = Codec.from_folder(folder, LM, PreparationPlan(max_length=16))
    parts = codec.encode_parts(example)
    assert [(p.part, p.parts) for p in parts] == [(i + 1, len(parts)) for i in range(len(parts))]
    assert all(p.pieces[0] == "<s>" and len(p.ids) <= 16 and not p.cut and not p.trained[0] for p in parts)
    assert [i for p in parts for i in p.ids[1:]] == list(whole.ids[1:])
    assert [p.ids for p in codec.encode_all([example, example])] == [p.ids for p in parts] * 2


def test_no_part_of_a_completion_is_an_end_alone(tmp_path: Path) -> None:
    codec = Codec.from_folder(byte_level(tmp_path), LM, PreparationPlan(max_length=8))
    for n in range(1, 40):
        parts = codec.encode_all([Example(row_id="1", text="W" * n)])
        assert all(p.ids != (codec.eos,) for p in parts)
        assert sum(len(p.ids) for p in parts) == n + 1


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_text_for_a_classifier_keeps_its_frame_when_it_is_cut(tmp_path: Path, side: str) -> None:
    plan = PreparationPlan.model_validate({"max_length": 8, "truncation_side": side})
    causal = Codec.from_folder(byte_level(tmp_path / "causal", begin=True), CLASSIFIER, plan)
    encoder = Codec.from_folder(word_pieces(tmp_path / "encoder"), CLASSIFIER, plan)
    example = Example(row_id="1", text=" ".join(TEXTS), label="x")
    for codec, first, last in ((causal, "<s>", "</s>"), (encoder, "[CLS]", "[SEP]")):
        encoded = codec.encode(example)
        assert (encoded.pieces[0], encoded.pieces[-1], len(encoded.ids)) == (first, last, 8)
        assert not any(encoded.trained) and not encoded.answer_cut
        kept = "".join(encoded.pieces[1:-1])
        assert example.text.startswith(kept) if side == "right" else example.text.endswith(kept)


def test_a_tokenizer_that_closes_its_texts_gets_no_second_end(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, closed=True), LM, plan)
    assert list(codec.encode(Example(row_id="1", text=QUESTION)).ids).count(codec.eos) == 1
    assert codec.eos not in codec.prompt_ids(QUESTION)


def test_a_truncation_inside_the_tokenizer_file_is_not_applied(tmp_path: Path, plan: PreparationPlan) -> None:
    encoded = Codec.from_folder(word_pieces(tmp_path), CLASSIFIER, plan).encode(Example(row_id="1", text=TEXTS[0]))
    assert len(encoded.ids) > 4 and not encoded.cut


# -- generation and scoring --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["Category:", "Category: ", "Category:\n"])
def test_an_answer_after_a_plain_prompt_is_encoded_as_it_would_be_written(
    tmp_path: Path, plan: PreparationPlan, prompt: str
) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, begin=True), LM, plan)
    answer = " order" if prompt == "Category:" else "order"
    ids, counts = codec.scored(prompt, answer)
    counted = [i for i, c in zip(ids, counts, strict=True) if c]
    assert ids == codec.tokenizer.encode(prompt + answer)
    assert codec.tokenizer.decode(counted) == (prompt + answer).removeprefix("Category:")


def test_only_the_last_answer_of_a_conversation_is_scored(chat_codec: Codec) -> None:
    ids, counts = chat_codec.scored(messages(TALK[:3]), "Yes 🙂")
    whole = chat_codec.encode(talk())
    assert ids == list(whole.ids)
    assert chat_codec.tokenizer.decode([i for i, c in zip(ids, counts, strict=True) if c]).strip().startswith("Yes 🙂")


def test_a_whole_text_is_scored_but_for_its_first_token(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path), LM, plan)
    ids, counts = codec.scored("", QUESTION)
    assert (ids[-1], counts) == (codec.eos, [False, *[True] * (len(ids) - 1)])


@pytest.mark.parametrize("prompt", ["Thank you, " * 50, messages([("user", "Thank you, " * 50)])], ids=["text", "chat"])
def test_where_room_is_short_the_prompt_gives_way_and_the_answer_stays(tmp_path: Path, prompt) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, begin=True), LM, PreparationPlan())
    ids, counts = codec.scored(prompt, ANSWER, limit=40)
    assert (len(ids), len(counts), ids[0]) == (40, 40, codec.tokenizer.bos_token_id)
    assert sum(counts) == sum(codec.scored(prompt, ANSWER)[1])
    assert len(codec.prompt_ids(prompt, limit=10)) == 10
    assert codec.prompt_ids(prompt, limit=10)[1:] == codec.prompt_ids(prompt)[-9:]


@pytest.mark.parametrize(("template", "ends"), [(CHATML, {"</s>", "<|im_end|>"}), (None, {"</s>"})])
def test_generation_stops_at_the_end_of_a_turn_and_of_a_text(tmp_path, plan, template, ends) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, template), LM, plan)
    assert set(codec.tokenizer.convert_ids_to_tokens(codec.stop_ids(None))) == ends
    assert 7 in codec.stop_ids(7) and {7, 9} < set(codec.stop_ids([7, 9]))


# -- the tokenizer's folder and the process ----------------------------------------------------------------------------


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path, plan: PreparationPlan) -> None:
    with pytest.raises(UserError, match="no tokenizer"):
        Codec.from_folder(tmp_path, LM, plan)


def test_a_damaged_tokenizer_is_refused(tmp_path: Path, plan: PreparationPlan) -> None:
    folder = byte_level(tmp_path)
    (folder / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Unheard of"}}')
    with pytest.raises(UserError, match="cannot be read"):
        Codec.from_folder(folder, LM, plan)


def test_encoding_does_not_bring_torch_into_the_process(tmp_path: Path) -> None:
    byte_level(tmp_path, CHATML)
    code = f"""
import sys
from core.data import duplicates, leakage, lengths, splitting
from core.data.encoding import Codec
from core.schemas.examples import Example, Message
from core.schemas.plan import PreparationPlan
codec = Codec.from_folder({str(tmp_path)!r}, "causal-lm", PreparationPlan())
turns = (Message(role="user", content="Hi"), Message(role="assistant", content="Hello"))
assert codec.encode_all([Example(row_id="1", messages=turns), Example(row_id="2", text="Hi")])
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_conversations_and_texts_may_be_mixed_and_keep_their_order(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, CHATML), LM, plan)
    examples = [talk(), Example(row_id="r2", text="Yes"), talk()]
    assert [e.row_id for e in codec.encode_all(examples)] == ["r1", "r2", "r1"]
    assert codec.encode_all([]) == [] and codec.lengths([]) == []


def test_two_thousand_short_conversations_take_about_a_second(tmp_path: Path, plan: PreparationPlan) -> None:
    codec = Codec.from_folder(byte_level(tmp_path, CHATML), LM, plan)
    examples = [talk([("user", f"{QUESTION} {i}"), ("assistant", ANSWER)]) for i in range(2000)]
    began = time.process_time()
    assert len(codec.encode_all(examples)) == 2000
    assert time.process_time() - began < 4  # about 0.6
