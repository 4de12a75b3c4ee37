"""A person's own text classifier from a local folder in transformers' format, as a judge of written answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification

from core.schemas.errors import UserError
from core.schemas.examples import Message
from core.schemas.predictor import Decoding, Generation, Score

from . import loading
from .device import device_name
from .faults import translated
from .predict import _batches, _pad

LONGEST = 512  # tokens; most such classifiers read no more


class TextScorer:
    """Reads texts and gives the probability of each of its labels; where several may hold, each by itself."""

    labels: Sequence[str] = ()
    thresholds: Sequence[float] = ()

    def __init__(self, folder: str | Path) -> None:
        """Raises UserError where the folder holds no text classifier in the safe format."""
        folder = Path(folder).expanduser()
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise UserError(
                "The scorer cannot be loaded.",
                f"{folder} holds no text classifier in the format of transformers with safetensors weights.",
                "Give the folder that has config.json, tokenizer.json and model.safetensors.",
            )
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            if not any("SequenceClassification" in name for name in config.architectures or ()):
                raise ValueError(f"its architecture is {', '.join(config.architectures or ('unknown',))}")
            self.model = AutoModelForSequenceClassification.from_pretrained(
                folder, config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
            self.tokenizer = loading.tokenizer(folder)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise UserError(
                "The scorer cannot be loaded.",
                f"It is no text classifier that can be read ({str(error)[:200]}).",
                "Give the folder of a text classifier, for example one that you exported here.",
            ) from error
        self.model.to(device_name()).eval()
        self.labels = tuple(str(config.id2label[i]) for i in range(config.num_labels))
        self.several = config.problem_type == "multi_label_classification"
        self._limit = min(LONGEST, int(getattr(config, "max_position_embeddings", LONGEST) or LONGEST))

    @translated()
    @torch.no_grad()
    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        pad = self.tokenizer.pad_token_id or 0
        rows = [self.tokenizer(text, truncation=True, max_length=self._limit)["input_ids"] or [pad] for text in texts]
        out: list[list[float]] = [[] for _ in texts]
        for chosen in _batches([len(row) for row in rows]):
            ids, mask = _pad([rows[i] for i in chosen], pad, "right", self.model.device)
            logits = self.model(input_ids=ids, attention_mask=mask).logits.float()
            likely = logits.sigmoid() if self.several or logits.shape[-1] == 1 else logits.softmax(-1)
            for i, row in zip(chosen, likely.tolist(), strict=True):
                out[i] = row
        return out

    def values(self, texts: Sequence[str]) -> list[float]:
        raise TypeError("a scorer predicts no numbers")

    def generate(self, prompts: Sequence[Sequence[Message] | str], decoding: Decoding) -> list[Generation]:
        raise TypeError("a scorer writes nothing")

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        raise TypeError("a scorer has no likelihood of texts")
