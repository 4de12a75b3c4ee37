"""The readers of an export, run in a fresh process: load the folder as somebody else would, and answer kept prompts.

    python -m core.training.reread < questions.json

A reader is what another program would use: the helper that lies in the folder itself (transformers, or onnxruntime for ONNX),
transformers' own reader of GGUF files, and llama.cpp where `llama-cpp-python` is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Asked = dict[str, Any]
"""`ids` to read; `given`: what the helper is asked, or None where that was cut; `written`: ids that the checkpoint wrote;
`top`: for each place of an answer, the ids whose probabilities are wanted."""


def answered(question: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Reader to one answer a prompt: `values` and `best` for each place, `written` ids and `text` of a model that writes,
    `ids` as the helper read the prompt."""
    return {name: READERS[name](question) for name in question["readers"]}


def available(reader: str) -> bool:
    return reader != "llama.cpp" or importlib.util.find_spec("llama_cpp") is not None


# -- the helper of the folder --------------------------------------------------------------------------------------------


def _helper(question: dict[str, Any]) -> list[dict[str, Any]]:
    name = "inference" if question["reads"] else "answer"
    spec = importlib.util.spec_from_file_location(name, Path(question["folder"]) / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    model = module.Model(question["folder"], base=question["base"])
    out = []
    for asked in question["asked"]:
        read = model.ids(asked["given"]) if asked["given"] is not None else asked["ids"]
        if question["reads"]:
            out.append({"values": [model.figures(asked["ids"])], "ids": read})
        else:
            out.append(written(model.model, question, asked) | {"ids": read})
    return out


# -- transformers ----------------------------------------------------------------------------------------------------------


def written(model: Any, question: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """Probabilities along the checkpoint's own answer, and the greedy answer of this model."""
    import torch

    ids, told = torch.tensor([asked["ids"]]), asked["written"]
    pairs = question["family"] == "seq2seq"
    places: dict[str, Any] = {"input_ids": ids}
    with torch.no_grad():
        if pairs:
            start = model.config.decoder_start_token_id
            start = model.config.pad_token_id if start is None else start
            places["decoder_input_ids"] = torch.tensor([[start, *told[:-1]]])
            logits = model(**places).logits[0]
        else:
            places["input_ids"] = torch.tensor([[*asked["ids"], *told[:-1]]])
            logits = model(**places).logits[0][len(asked["ids"]) - 1 :]
        shares = logits.float().softmax(-1)
        made = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=question["length"],
            eos_token_id=question["ends"] or None,
            pad_token_id=question["pad"],
            do_sample=False,
            num_beams=1,
            use_cache=True,
            **({"decoder_start_token_id": start} if pairs else {}),
        )[0].tolist()
    return _places(shares.numpy(), asked) | {"written": made[1 if pairs else len(asked["ids"]) :]}


def _places(shares: Any, asked: Asked) -> dict[str, Any]:
    best = shares.argmax(-1)
    values = (
        [[float(row[i]) for i in top] for row, top in zip(shares, asked["top"], strict=True)] if asked["top"] else []
    )
    return {"values": values, "best": [[int(i), float(row[i])] for i, row in zip(best, shares, strict=True)]}


def _gguf(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Transformers' own reader, which turns the blocks back into numbers. Two settings that it does not take from the file
    are put in by hand, from the file."""
    import torch
    from gguf import GGUFReader
    from transformers import AutoConfig, AutoModelForCausalLM

    folder, name = question["folder"], "model.gguf"
    config = AutoConfig.from_pretrained(folder, gguf_file=name)
    fields = GGUFReader(Path(folder) / name).fields
    for key, own in (("qwen3.attention.key_length", "head_dim"), ("gpt2.context_length", "n_positions")):
        if key in fields:
            setattr(config, own, int(fields[key].contents()))
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, config=config, dtype=torch.float32).eval()
    return [written(model, question, asked) for asked in question["asked"]]


# -- llama.cpp -------------------------------------------------------------------------------------------------------------


def _llama_cpp(question: dict[str, Any]) -> list[dict[str, Any]]:
    """llama.cpp reads the text by itself, so that its tokens are compared too; probabilities at every place of the answer."""
    from llama_cpp import Llama

    threads = max(1, (os.cpu_count() or 2) // 2)  # its threads spin: more than there are free cores would crawl
    longest = max(len(a["ids"]) for a in question["asked"]) + question["length"] + 8
    model = Llama(
        str(Path(question["folder"]) / "model.gguf"), n_ctx=longest, logits_all=True, verbose=False, n_gpu_layers=0, seed=0,
        n_threads=threads, n_threads_batch=threads,
    )  # fmt: skip
    ends = set(question["ends"])
    out = []
    for asked in question["asked"]:
        model.reset()
        model.eval([*asked["ids"], *asked["written"][:-1]])
        scores = model.scores[len(asked["ids"]) - 1 : model.n_tokens].astype(np.float64)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        made: list[int] = []
        for token in model.generate(asked["ids"], temp=0.0, top_k=1, repeat_penalty=1.0, reset=True):
            made.append(int(token))
            if token in ends or len(made) == question["length"]:
                break
        read = model.tokenize(asked["text"].encode(), add_bos=True, special=True) if asked["text"] else asked["ids"]
        first = asked["ids"][:1]
        if asked["opened"] and read[:2] == first * 2:
            read = read[1:]  # the template's own, which llama.cpp's chat takes away
        out.append(_places(shares / shares.sum(-1, keepdims=True), asked) | {"written": made, "ids": list(read)})
    return out


READERS: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
    "transformers": _helper,
    "onnx": _helper,
    "gguf": _gguf,
    "llama.cpp": _llama_cpp,
}


def _end_with_parent() -> None:
    """The input stays open as long as whoever asks lives. Read without Python's buffer, whose lock would be held at the end."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> None:
    """Answers go to the file that the question names: libraries write to standard output."""
    question = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    found = [answered(each) for each in question["questions"]]
    Path(question["answers"]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
