"""Does an exported folder answer as the checkpoint did? Asked in a fresh process with transformers (and peft) alone.

python -m core.training.parity FOLDER FAMILY < questions.json > answers.json
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError

OBEY_SECONDS = 0.3
TOLERANCE = 1e-3  # greatest difference of a probability (float32 against float32)


def answers(folder: str, family: str, token_ids: Sequence[Sequence[int]], base_folder: str | None) -> list[list[float]]:
    """What the folder's model answers to each row of ids, see `answer`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

    kinds: dict[str, Any] = {"causal-lm": AutoModelForCausalLM, "seq2seq": AutoModelForSeq2SeqLM}
    kind = kinds.get(family, AutoModelForSequenceClassification)
    options: dict[str, Any] = {"dtype": torch.float32, "trust_remote_code": False, "use_safetensors": True}
    if base_folder is None:
        model = kind.from_pretrained(folder, **options)
    else:
        from peft import PeftModel

        if family not in kinds:
            labels = Path(folder) / "labels.json"
            options |= {"num_labels": len(json.loads(labels.read_text())) if labels.exists() else 1}
        base = kind.from_pretrained(base_folder, **options)
        model = PeftModel.from_pretrained(base, folder)
    model.eval()
    with torch.no_grad():
        return [answer(model, family, ids) for ids in token_ids]


def answer(model: Any, family: str, ids: Sequence[int]) -> list[float]:
    """Probabilities of the classes, of each label by itself, or of the next token (what writes a second text: its first);
    for numbers the standardised number."""
    import torch

    asked: dict[str, Any] = {"input_ids": torch.tensor([list(ids)])}
    if family == "seq2seq":
        start = model.config.decoder_start_token_id
        asked["decoder_input_ids"] = torch.tensor([[model.config.pad_token_id if start is None else start]])
    logits = model(**asked).logits[0].float()
    if family == "regression":
        return list(logits.tolist())
    if family == "multi-label":
        return list(logits.sigmoid().tolist())
    return list((logits if family == "classifier" else logits[-1]).softmax(-1).tolist())


def _in_a_fresh_process(arguments: list[str], question: str, obey: Callable[[], None]) -> tuple[int, str, str]:
    """Exit status, standard output and standard error. The process is ended where `obey` raises."""
    process = subprocess.Popen(
        [sys.executable, "-m", "core.training.parity", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    asked: str | None = question
    try:
        while True:
            try:
                out, said = process.communicate(asked, timeout=OBEY_SECONDS)
                return process.returncode, out, said
            except subprocess.TimeoutExpired:
                asked = None  # `communicate` goes on where it was
                obey()
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def check(
    folder: Path,
    family: str,
    token_ids: Sequence[Sequence[int]],
    expected: Sequence[Sequence[float]],
    base: str | None,
    obey: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Load the export in a fresh process, ask the same questions, and compare. `obey` is called all the while and may raise.

    Returns n, the greatest difference and the tolerance. Raises UserError when they do not agree: a failed parity is a
    failed export.
    """
    question = json.dumps({"ids": [list(i) for i in token_ids], "base": base})
    status, out, said = _in_a_fresh_process([str(folder), family], question, obey)
    if status:
        print(said, file=sys.stderr)
        raise UserError(
            "The exported model could not be loaded again.",
            "A fresh process could not read the folder; the log has the reason.",
            "Try the other kind of export, or report this with the log.",
        )
    got = json.loads(out.splitlines()[-1])
    worst = max(abs(a - b) for x, y in zip(got, expected, strict=True) for a, b in zip(x, y, strict=True))
    same = sum(x.index(max(x)) == list(y).index(max(y)) for x, y in zip(got, expected, strict=True))
    if worst > TOLERANCE:
        raise UserError(
            "The exported model does not answer as the checkpoint did.",
            f"The greatest difference of a probability is {worst:.4f}; {TOLERANCE} is allowed.",
            "Do not use this export. Export again as the other kind, and report this with the log.",
        )
    return {"n": len(got), "worst": worst, "tolerance": TOLERANCE, "same_answer": same}


def main() -> None:
    question = json.loads(sys.stdin.read())
    print(json.dumps(answers(sys.argv[1], sys.argv[2], question["ids"], question["base"])))


if __name__ == "__main__":
    main()
