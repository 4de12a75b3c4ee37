"""Ask this model, with its output filter where it has one:  python answer.py "Your question"

From Python:

    import sys; sys.path.insert(0, "path/to/this/folder")
    from answer import Model

    print(Model().answer("Your question").text)

Needs torch and transformers (and peft for an adapter, gguf for a GGUF file).
Whoever loads the weights in another way gets unfiltered answers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Answer:
    """`text` may be shown. `filtered` says in a sentence which rules changed it; empty where none did."""

    text: str
    filtered: str = ""


def load_filter(folder: str | Path = HERE) -> Any:
    """The filter of this folder, or None where it was exported without one."""
    rules = Path(folder) / "filter_rules.json"
    if not rules.exists():
        return None
    spans = _beside(folder, "personal_data").spans
    return _beside(folder, "output_filter").OutputFilter(json.loads(rules.read_text(encoding="utf-8")), spans)


def _beside(folder: str | Path, name: str) -> ModuleType:
    """A module of this very folder, whatever else has its name."""
    spec = importlib.util.spec_from_file_location(f"tunewell_export_{name}", Path(folder) / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py is not in this folder")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Model:
    """The exported model. An adapter also needs the folder of its base model. `seed` makes drawn answers repeatable."""

    def __init__(self, folder: str | Path = HERE, base: str | Path | None = None, seed: int = 0) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

        self.how = json.loads((Path(folder) / "answering.json").read_text(encoding="utf-8"))
        self.filter = load_filter(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        kind: Any = AutoModelForSeq2SeqLM if self.how["family"] == "seq2seq" else AutoModelForCausalLM
        if (Path(folder) / "adapter_config.json").exists():
            if base is None:
                raise SystemExit("This is an adapter: give the folder of its base model as well (--base).")
            from peft import PeftModel

            # In 32 bits, as it was trained and tested.
            self.model: Any = PeftModel.from_pretrained(kind.from_pretrained(base, dtype=torch.float32), folder)
        elif (Path(folder) / "model.gguf").exists():
            config = AutoConfig.from_pretrained(folder)
            self.model = kind.from_pretrained(folder, gguf_file="model.gguf", config=config, dtype=torch.float32)
        else:
            self.model = kind.from_pretrained(folder, dtype=torch.float32)
        self.model.eval()
        torch.manual_seed(seed)

    def ids(self, question: str | Sequence[dict[str, str]]) -> list[int]:
        """What the model reads: a text, or a conversation as a list of {"role", "content"}."""
        if self.how["family"] != "seq2seq" and (self.how["conversational"] or not isinstance(question, str)):
            turns = [{"role": "user", "content": question}] if isinstance(question, str) else list(question)
            if self.how["system_prompt"] and turns[0]["role"] != "system":
                turns.insert(0, {"role": "system", "content": self.how["system_prompt"]})
            text = self.tokenizer.apply_chat_template(
                turns, chat_template=self.how["chat_template"], tokenize=False, add_generation_prompt=True
            )
            return self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if self.how["family"] == "seq2seq":
            return self._whole(self.tokenizer(f"{self.how['system_prompt']} {question}".strip())["input_ids"])
        ids = self.tokenizer(question)["input_ids"]
        return ids[:-1] if ids[-1:] == [self.tokenizer.eos_token_id] else ids

    def _whole(self, ids: list[int]) -> list[int]:
        """Closed with the end token, and cut as in training."""
        head, tail, most = self.how["opening"], self.how["closing"], self.how["max_length"]
        if not tail and self.how["end"] is not None:
            ids, tail = [*ids, self.how["end"]], 1
        if len(ids) <= most:
            return ids
        room = most - head - tail
        first = head if self.how["cut"] == "right" else len(ids) - tail - room
        return [*ids[:head], *ids[first : first + room], *ids[len(ids) - tail :]]

    def answer(
        self, question: str | Sequence[dict[str, str]], max_new_tokens: int = 256, temperature: float = 0.0
    ) -> Answer:
        """An `Answer`: greedy at temperature 0, else drawn."""
        import torch

        ids = torch.tensor([self.ids(question)])
        drawn = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
        with torch.no_grad():
            out = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max_new_tokens,
                eos_token_id=self.how["stop_ids"] or None,
                pad_token_id=self.tokenizer.pad_token_id or 0,
                num_beams=1,
                **drawn,
            )[0].tolist()
        written = out[1:] if self.how["family"] == "seq2seq" else out[ids.shape[1] :]
        end = next((i for i, token in enumerate(written) if token in self.how["stop_ids"]), None)
        text = self.tokenizer.decode(written[:end], skip_special_tokens=True)
        if self.filter is None:
            return Answer(text)
        done = self.filter.apply(text)
        return Answer(done.text, done.sentence())


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask this model.")
    parser.add_argument("question")
    parser.add_argument("--base", help="folder of the base model, for an adapter")
    parser.add_argument("--length", type=int, default=256, help="most tokens of the answer")
    parser.add_argument("--temperature", type=float, default=0.0, help="0: always the likeliest answer")
    given = parser.parse_args()
    said = Model(base=given.base).answer(given.question, given.length, given.temperature)
    print(said.text)
    if said.filtered:
        print(f"[{said.filtered}]")


if __name__ == "__main__":
    main()
