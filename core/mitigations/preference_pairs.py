"""Teach a model that writes to answer alike: prompts on which it fails become pairs of a better and a worse answer (DPO).

A prompt fails where the model answers differently only because the people in it are others. Of the two answers, the one that is
further from the person's own answer is the worse one, and their own answer the better one. Rafailov et al. 2023 (arXiv
2305.18290) for learning from such pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from difflib import SequenceMatcher

from pydantic import Field

from core.data.counterfactual import ExampleSwap, swap_example
from core.data.identity import find_terms
from core.data.lexicon import Lexicon
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.mitigations import Changes, Deed, Found, Given, Preview
from core.schemas.predictor import Decoding, Predictor

from ._action import NO_FIT, OPTIONS, Action, shorter, swappable

FEWEST = 10  # pairs below which three parts of a split cannot be made in earnest
SHOWN = 20
NEEDS_CATEGORIES = "Its answers are categories: there is no written answer that could be a better or a worse one."


class Config(Schema):
    axes: tuple[str, ...] = Field(
        ("gender",),
        title="Groups of people",
        description="Kinds of groups that are swapped in the questions. Choose those in which the audit found a difference.",
        json_schema_extra={"level": "basic", "options": OPTIONS},
    )
    alike: float = Field(
        0.8,
        title="Answers that count as alike",
        description="Two answers whose letters agree by less than this share, the swapped words apart, count as different.",
        ge=0.05,
        le=1,
        json_schema_extra={"level": "advanced"},
    )
    prompts: int = Field(
        200,
        title="Questions at most",
        description="How many questions the model answers twice to find where it fails.",
        ge=10,
        le=5000,
        json_schema_extra={"level": "basic"},
    )
    length: int = Field(
        96,
        title="Length of the answers",
        description="Tokens at most of each answer that the model writes.",
        ge=8,
        le=1024,
        json_schema_extra={"level": "advanced"},
    )


class PreferencePairs(Action):
    key = "preference_pairs"
    title = "Prefer answers that treat people alike"
    help = (
        "The model answers your training questions twice, once with the people swapped. Where the two answers differ, the one "
        "further from your own answer becomes the worse one, yours the better one, and the next round learns to prefer yours. It "
        "goes on from this round's model. The pairs become a dataset of their own; the project then learns preferences."
    )
    cost = "Writing two answers to each question first; then a short training with about twice the memory."
    helps = "The model writes different answers when only the people in a question change."
    answers: Found = "answers move"
    time = 2.0
    order = 15
    changes: Changes = "data"
    families = ("causal-lm",)
    unfit = {"classifier": NEEDS_CATEGORIES, "seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}
    config = Config
    verify_with = ("neutral_probes",)
    needs_model = True

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        found = self._candidates(examples, config, given)
        table = [
            {
                "question": shorter(_question(e)),
                "with others": shorter(_question(made.example)),
                "your answer": shorter(e.reference),
            }
            for e, made in found[:SHOWN]
        ]
        return Preview(
            says=(
                f"The model will answer {len(found):,} questions twice. Pairs are made where its two answers differ; "
                f"it takes at least {FEWEST}.",
            ),
            rows=tuple(table),
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        raise NotImplementedError("it needs the model's answers: see `work`")

    def work(
        self,
        examples: Sequence[Example],
        config: Config,
        given: Given,
        model: Predictor,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Deed:
        """The pairs. Raises UserError where the model fails too seldom to learn from it."""
        found = self._candidates(examples, config, given)
        lexicon = swappable(given)
        decoding = Decoding(max_new_tokens=config.length, seed=given.seed)
        pairs: list[Example] = []
        for start in range(0, len(found), 8):
            batch = found[start : start + 8]
            progress(start, len(found))
            asked = [p for e, made in batch for p in (e.prompt, made.example.messages)]
            said = [one.text.strip() for one in model.generate(asked, decoding)]
            for i, (e, made) in enumerate(batch):
                pair = _pair(e, made, said[2 * i], said[2 * i + 1], config, lexicon)
                if pair is not None:
                    pairs.append(pair)
        if len(pairs) < FEWEST:
            raise UserError(
                "The model fails too seldom to learn from it.",
                f"Of {len(found):,} questions, {len(pairs):,} got answers that differ with the people; it takes {FEWEST}.",
                "Add questions that name people, try other groups, or use swapped copies.",
            )
        return Deed(
            summary=f"{len(pairs):,} pairs from {len(found):,} questions that the model answered twice.",
            pairs=tuple(pairs),
        )

    def _candidates(
        self, examples: Sequence[Example], config: Config, given: Given
    ) -> list[tuple[Example, ExampleSwap]]:
        """Questions that can be swapped, whose answer names none of these people: it is right for both."""
        lexicon = swappable(given)
        if not any(e.messages for e in examples):
            raise UserError(
                "There are no questions and answers.",
                "The model continues plain texts; a pair needs a question with two answers.",
                "Use swapped copies.",
            )
        found: list[tuple[Example, ExampleSwap]] = []
        for e in examples:
            if not e.reference.strip() or e.rejected or find_terms(e.reference, config.axes, lexicon):
                continue
            made = swap_example(e.model_copy(update={"messages": e.prompt}), config.axes, lexicon, 1)
            found += [(e, one) for one in made[:1]]
        if not found:
            raise UserError(
                "No question can be swapped.",
                "No training question names these people in a way that can be swapped, with an answer that is right for both.",
                "Choose other kinds of groups, or another corrective action.",
            )
        return found[: config.prompts]


def _pair(e: Example, made: ExampleSwap, own: str, other: str, config: Config, lexicon: Lexicon) -> Example | None:
    """The worse of two answers that differ, beside the person's own; None where they are alike."""
    if _alike(_bare(own, config, lexicon), _bare(other, config, lexicon)) >= config.alike:
        return None
    swapped = _alike(other, e.reference) <= _alike(own, e.reference)
    worse = other if swapped else own
    if not worse or worse == e.reference.strip():
        return None
    prompt = made.example.messages if swapped else e.prompt
    answer = Message(role="assistant", content=e.reference)
    return Example(row_id=f"pair-{e.row_id}", messages=(*prompt, answer), rejected=worse)


def _alike(first: str, second: str) -> float:
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _bare(text: str, config: Config, lexicon: Lexicon) -> str:
    """The text without the words for the groups, which may differ."""
    parts, at = [], 0
    for match in find_terms(text, config.axes, lexicon):
        parts.append(text[at : match.start])
        at = match.end
    return " ".join("".join([*parts, text[at:]]).split())


def _question(e: Example) -> str:
    users = [m.content for m in e.messages if m.role == "user"]
    return users[-1] if users else ""


PLUGIN = PreferencePairs()
