"""Judge texts with this model:  python inference.py "A text" "Another text"

From Python:

    import sys; sys.path.insert(0, "path/to/this/folder")
    from inference import Model

    print(Model()(["A text"]))

A folder with model.onnx needs onnxruntime and tokenizers alone; any other needs torch and transformers (and peft for an adapter).
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class Model:
    """The exported model. An adapter also needs the folder of its base model."""

    def __init__(self, folder: str | Path = HERE, base: str | Path | None = None) -> None:
        from tokenizers import Tokenizer

        self.folder = Path(folder)
        self.how = self._read("answering")
        self.labels: list[str] = self._read("labels") or []
        self.thresholds, self.target = self._read("thresholds"), self._read("target")
        self.tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.logits = self._onnx() if (self.folder / "model.onnx").exists() else self._torch(base)

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """One answer a text: `label` and `scores`; `labels` that are given and `scores`; or a `value`."""
        return [self.answer(self.figures(self.ids(text))) for text in texts]

    def ids(self, text: str) -> list[int]:
        """What the model reads: closed with the end token, and cut as in training."""
        ids = self.tokenizer.encode(text).ids
        head, tail, most = self.how["opening"], self.how["closing"], self.how["max_length"]
        if not tail and self.how["end"] is not None:
            ids, tail = [*ids, self.how["end"]], 1
        if len(ids) <= most:
            return ids
        room = most - head - tail
        first = head if self.how["cut"] == "right" else len(ids) - tail - room
        return [*ids[:head], *ids[first : first + room], *ids[len(ids) - tail :]]

    def figures(self, ids: Sequence[int]) -> list[float]:
        """Probabilities of the labels (together 1, or each by itself), or the number before it gets its unit."""
        logits = self.logits(ids)
        if self.how["family"] == "regression":
            return logits
        if self.how["family"] == "multi-label":
            return [0.0 if v <= -700 else 1 / (1 + math.exp(-v)) for v in logits]
        top = max(logits)
        weights = [math.exp(v - top) for v in logits]
        return [w / sum(weights) for w in weights]

    def answer(self, figures: Sequence[float]) -> dict[str, Any]:
        if self.how["family"] == "regression":
            return {"value": figures[0] * self.target["std"] + self.target["mean"]}
        scores = dict(zip(self.labels, figures, strict=True))
        if self.how["family"] == "multi-label":
            given = [label for label, p, cut in zip(self.labels, figures, self.thresholds, strict=True) if p >= cut]
            return {"labels": given, "scores": scores}
        return {"label": max(scores, key=scores.__getitem__), "scores": scores}

    def _read(self, name: str) -> Any:
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def _onnx(self) -> Any:
        import numpy
        import onnxruntime

        session = onnxruntime.InferenceSession(str(self.folder / "model.onnx"), providers=["CPUExecutionProvider"])

        def logits(ids: Sequence[int]) -> list[float]:
            read = numpy.array([ids], dtype=numpy.int64)
            asked = {"input_ids": read, "attention_mask": numpy.ones_like(read)}
            return session.run(None, {i.name: asked[i.name] for i in session.get_inputs()})[0][0].tolist()

        return logits

    def _torch(self, base: str | Path | None) -> Any:
        import torch
        from transformers import AutoModelForSequenceClassification as Kind

        if (self.folder / "adapter_config.json").exists():
            if base is None:
                raise SystemExit("This is an adapter: give the folder of its base model as well (--base).")
            from peft import PeftModel

            count = len(self.labels) or 1
            model: Any = PeftModel.from_pretrained(
                Kind.from_pretrained(base, num_labels=count, dtype=torch.float32), str(self.folder)
            )
        else:
            model = Kind.from_pretrained(self.folder, dtype=torch.float32)
        model.eval()

        def logits(ids: Sequence[int]) -> list[float]:
            with torch.no_grad():
                return model(input_ids=torch.tensor([list(ids)])).logits[0].float().tolist()

        return logits


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge texts with this model.")
    parser.add_argument("text", nargs="+")
    parser.add_argument("--base", help="folder of the base model, for an adapter")
    given = parser.parse_args()
    for answer in Model(base=given.base)(given.text):
        print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
