"""Does an exported folder answer as the checkpoint did? Asked in a fresh process; see `reread` for who asks there.

Every format is held to the same kept prompts. A model that reads is asked for its figures. A model that writes is asked for the
probabilities at every place of the answer that the checkpoint wrote, and for an answer of its own: where that differs, the
checkpoint itself must have wavered between the two tokens by no more than the tolerance explains (two shares that may each
move by d change places only where they lie less than 2 d apart).
"""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES

from . import reread

OBEY_SECONDS = 0.3
LENGTH = 24  # tokens of a greedy answer
NATS = (
    10  # times the tolerance: how far the log of the first choice's share may move, for a model that is sure of nothing
)
TOP = 20  # likeliest tokens at each place that are compared
ENGINES = {
    "transformers": "transformers",
    "onnx": "onnxruntime",
    "gguf": "transformers' reader of GGUF",
    "llama.cpp": "llama.cpp",
}


@dataclass
class Expected:
    """What the checkpoint answered to one prompt. `given` is what a person asks, None where it had to be cut; `text` what the
    tokenizer reads. `values` at the ids `top` of each place, or the figures of the one place of a model that reads."""

    ids: list[int]
    given: Any
    text: str
    values: list[list[float]]
    top: list[list[int]] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    @property
    def leads(self) -> list[float]:
        """How much likelier the first choice was than the second, at each place."""
        return [row[0] - row[1] if len(row) > 1 else 1.0 for row in self.values]


def ask(
    model: Any, codec: Codec, family: str, questions: Sequence[Example], ends: Sequence[int], obey: Callable[[], None]
) -> list[Expected]:
    """The checkpoint's answers to the kept prompts."""
    out = []
    for question in questions:
        obey()
        given, ids, text = _prompt(codec, family, question, _room(model, family))
        if not ids:
            continue
        if FAMILIES[family].reads:
            with torch.no_grad():
                out.append(Expected(ids, given, text, [figures(model, family, ids)]))
            continue
        asked = {"ids": ids, "written": [0], "top": []}
        about = {"family": family, "length": LENGTH, "ends": list(ends), "pad": codec.tokenizer.pad_token_id or 0}
        written = reread.written(model, about, asked)["written"]
        out.append(_along(model, about, Expected(ids, given, text, [], written=written)))
    return out


def _along(model: Any, about: dict[str, Any], found: Expected) -> Expected:
    """With the likeliest tokens at every place of the answer."""
    with torch.no_grad():
        if about["family"] == "seq2seq":
            start = model.config.decoder_start_token_id
            start = model.config.pad_token_id if start is None else start
            told = torch.tensor([[start, *found.written[:-1]]])
            logits = model(input_ids=torch.tensor([found.ids]), decoder_input_ids=told).logits[0]
        else:
            logits = model(input_ids=torch.tensor([[*found.ids, *found.written[:-1]]])).logits[0][len(found.ids) - 1 :]
    shares, top = logits.float().softmax(-1).topk(min(TOP, logits.shape[-1]))
    found.values, found.top = shares.tolist(), top.tolist()
    return found


def figures(model: Any, family: str, ids: Sequence[int]) -> list[float]:
    """Probabilities of the classes, or of each label by itself; for numbers the standardised number."""
    logits = model(input_ids=torch.tensor([list(ids)])).logits[0].float()
    if family == "regression":
        return list(logits.tolist())
    return list((logits.sigmoid() if family == "multi-label" else logits.softmax(-1)).tolist())


def _room(model: Any, family: str) -> int | None:
    """Tokens of a prompt that leave room for the answer; None where the plan's own limit counts."""
    if FAMILIES[family].reads or FAMILIES[family].pairs:
        return None
    limit = getattr(model.config, "max_position_embeddings", None) or 512
    window = getattr(model.config, "sliding_window", None) or limit
    return max(1, min(limit, window, 512) - LENGTH - 1)


def _prompt(codec: Codec, family: str, question: Example, room: int | None) -> tuple[Any, list[int], str]:
    """(what a person asks, ids, the text that they stand for)."""
    if FAMILIES[family].reads:
        return question.text, list(codec.encode(question).ids), question.text
    if question.messages:
        prompt: Any = question.prompt
        given: Any = [m.model_dump() for m in question.prompt]
        if FAMILIES[family].pairs:
            given = "\n".join(m.content for m in prompt if m.role == "user")
            if any(m.role == "system" for m in prompt):
                given = None
    else:
        words = question.text.split(" ")
        prompt = given = " ".join(words[: max(1, len(words) // 2)])
    whole, ids = codec.prompt_ids(prompt), codec.prompt_ids(prompt, room)
    text = codec.prompt_text(prompt)
    return (given, ids, text) if whole == ids else (None, ids, "")


# -- the fresh process -----------------------------------------------------------------------------------------------------


def check(
    folder: Path,
    about: dict[str, Any],
    expected: Sequence[Expected],
    readers: Sequence[str],
    tolerance: float,
    obey: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Load the export in a fresh process, ask the same prompts, and compare. `obey` is called all the while and may raise.

    `about` says family, base (folder or None), ends, pad, and whether conversations are opened. Returns what was compared and
    found. Raises UserError when they do not agree: a failed parity is a failed export.
    """
    if not expected:
        raise UserError(
            "There is no prompt to compare with.",
            "The validation rows of this round are all empty.",
            "Make a new split with at least one row for validation.",
        )
    question = asking(folder, about, expected, readers)
    (found,) = in_a_fresh_process([question], folder, obey)
    return verdict(expected, found, readers, tolerance)


def asking(folder: Path, about: dict[str, Any], expected: Sequence[Expected], readers: Sequence[str]) -> dict[str, Any]:
    """What `reread` is told of one export."""
    asked = [
        {"ids": e.ids, "given": e.given, "text": e.text, "written": e.written, "top": e.top, "opened": about["opened"]}
        for e in expected
    ]
    return {
        **about,
        "folder": str(folder),
        "reads": FAMILIES[about["family"]].reads,
        "readers": [name for name in readers if reread.available(name)],
        "length": LENGTH,
        "asked": asked,
    }


def verdict(
    expected: Sequence[Expected], found: dict[str, list[dict[str, Any]]], readers: Sequence[str], tolerance: float
) -> dict[str, Any]:
    """What is stored with the export. Raises UserError where a reader does not agree."""
    results = {name: compared(expected, answers, tolerance) for name, answers in found.items()}
    for name, result in results.items():
        _refuse(name, result, tolerance)
    first = next(iter(results.values()))
    return {
        **{key: first[key] for key in ("n", "same_answer", "places")},
        "worst": max(result["worst"] for result in results.values()),
        "tolerance": tolerance,
        "readers": {ENGINES[name]: result for name, result in results.items()},
        "not_read": [ENGINES[name] for name in readers if name not in found],
    }


def compared(expected: Sequence[Expected], found: Sequence[dict[str, Any]], tolerance: float) -> dict[str, Any]:
    """What one reader answered beside the checkpoint: `worst` difference of a figure; prompts with the `same_answer` (its first
    token, for a model that writes); `same_place`: places whose likeliest token is the same; `texts`: equal greedy answers;
    `strayed`: answers that differ where the checkpoint did not waver; `other_tokens`: prompts that were read otherwise."""
    worst, nats, same, places, hits, texts, strayed, other = 0.0, 0.0, 0, 0, 0, 0, 0, 0
    for want, got in zip(expected, found, strict=True):
        other += "ids" in got and list(got["ids"]) != want.ids
        differences = [
            abs(a - b) for x, y in zip(want.values, got["values"], strict=True) for a, b in zip(x, y, strict=True)
        ]
        worst = max([worst, *(d if d == d else float("inf") for d in differences)])
        if not want.written:
            same += _first(want.values[0]) == _first(got["values"][0])
            continue
        chosen = [row[0] for row in want.top]
        right = [a == b[0] for a, b in zip(chosen, got["best"], strict=True)]
        # A token that the checkpoint did not even think of would be missed among its own likeliest ones.
        for top, values, (token, share) in zip(want.top, want.values, got["best"], strict=True):
            worst = max(worst, abs(share - (values[top.index(token)] if token in top else min(values))))
        for mine, theirs in zip(want.values, got["values"], strict=True):
            nats = max(nats, abs(math.log(max(mine[0], 1e-30)) - math.log(max(theirs[0], 1e-30))))
        same, places, hits = same + right[0], places + len(right), hits + sum(right)
        if got["written"] == want.written:
            texts += 1
            continue
        place = next(
            (i for i, (a, b) in enumerate(zip(want.written, got["written"], strict=False)) if a != b),
            min(len(want.written), len(got["written"])),
        )
        strayed += place >= len(want.leads) or want.leads[place] > 2 * tolerance
    return {
        "n": len(expected), "worst": worst, "nats": nats, "same_answer": same, "places": places, "same_place": hits,
        "texts": texts, "strayed": strayed, "other_tokens": other,
    }  # fmt: skip


def _first(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _refuse(reader: str, result: dict[str, Any], tolerance: float) -> None:
    engine = ENGINES[reader]
    why = ""
    if result["other_tokens"]:
        why = f"{engine} turned {result['other_tokens']} of {result['n']} kept prompts into other tokens."
    elif not result["worst"] <= tolerance:
        why = f"Read by {engine}, a figure differs by {result['worst']:.4f}; {tolerance:g} is allowed."
    elif not result["nats"] <= NATS * tolerance:
        why = f"Read by {engine}, the log of a token's share moved by {result['nats']:.3f}; {NATS * tolerance:g} is allowed."
    elif result["strayed"]:
        why = f"{engine} wrote {result['strayed']} of {result['n']} answers differently where the checkpoint was sure."
    if why:
        raise UserError(
            "The exported model does not answer as the checkpoint did.",
            why,
            "Nothing was kept of this export. Choose another format, and report this with the log.",
        )


def _started(said: BinaryIO) -> subprocess.Popen[bytes]:
    """The process that reads what was exported; what it says goes to `said`."""
    return subprocess.Popen(
        [sys.executable, "-m", "core.training.reread"], stdin=subprocess.PIPE, stdout=said, stderr=said
    )


def in_a_fresh_process(
    questions: Sequence[dict[str, Any]], place: Path, obey: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """The answers to each of `questions`.

    The process is ended where `obey` raises, and ends itself where this one is killed: its input closes then.

    What it writes lies in `place`, the half-written export, so that nothing is left elsewhere.
    """
    answers, log = (place / f".parity.{kind}" for kind in ("json", "log"))
    try:
        with open(log, "wb") as said:
            process = _started(said)
        assert process.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(
                    json.dumps({"questions": list(questions), "answers": str(answers)}).encode() + b"\n"
                )
                process.stdin.flush()
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(OBEY_SECONDS)
                obey()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        if process.returncode or not answers.exists():
            print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
            raise UserError(
                "The exported model could not be loaded again.",
                "A fresh process could not read the folder; the log has the reason.",
                "Try another format, or report this with the log.",
            )
        return list(json.loads(answers.read_text(encoding="utf-8")))
    finally:
        answers.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
