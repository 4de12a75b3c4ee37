"""How to use an export elsewhere: short programs that are run in the tests as they stand, from the unpacked zip file."""

from __future__ import annotations

from dataclasses import dataclass

from core.schemas.families import FAMILIES
from core.store.tables import Run
from core.tasks import registry as tasks


@dataclass(frozen=True)
class Snippet:
    """`language` is python or bash."""

    title: str
    language: str
    text: str


def helper(run: Run) -> str:
    """The name of the program in the folder that asks the model."""
    return "inference.py" if FAMILIES[tasks()[run.task].family].reads else "answer.py"


def of(run: Run, kind: str, folder: str = "") -> list[Snippet]:
    """The shortest first. The folder is the one in the zip file, and what runs them stands in the folder above; or as given."""
    folder, task = folder or f"{run.name}-{kind}", tasks()[run.task]
    reads, adapter = FAMILIES[task.family].reads, kind == "adapter"
    base = " --base path/to/base-model" if adapter else ""
    needs = _needs(kind, reads)
    text = "Your text" if reads or not task.conversational else "Your question"
    found = [
        Snippet(f"In a terminal (needs {needs})", "bash", f'python "{folder}/{helper(run)}" "{text}"{base}\n'),
        Snippet("In a Python program, with the same", "python", _python(folder, text, reads, adapter)),
    ]
    if kind.startswith("gguf"):
        found += [
            Snippet("With Ollama, in the folder", "bash", "ollama create my-model -f Modelfile\nollama run my-model\n"),
            Snippet("With llama.cpp, in the folder", "bash", "llama-server -m model.gguf\n"),
            Snippet("In a Python program, with llama-cpp-python", "python", _llama(folder, text, task.conversational)),
        ]
    if kind == "onnx":
        found.append(
            Snippet("In a Python program, with onnxruntime and tokenizers alone", "python", ONNX.format(folder=folder))
        )
    if task.family == "classifier" and kind.startswith("merged"):
        found.append(Snippet("In a Python program, with transformers alone", "python", PIPELINE.format(folder=folder)))
    return found


def _needs(kind: str, reads: bool) -> str:
    if kind == "onnx":
        return "onnxruntime and tokenizers"
    extra = {"adapter": " and peft"}.get(kind, " and gguf" if kind.startswith("gguf") else "")
    return f"torch, transformers{extra}"


def _python(folder: str, text: str, reads: bool, adapter: bool) -> str:
    base = 'base="path/to/base-model"' if adapter else ""
    if reads:
        return READS.format(folder=folder, text=text, base=base)
    return WRITES.format(folder=folder, text=text, base=base)


def _llama(folder: str, text: str, conversational: bool) -> str:
    return (LLAMA_CHAT if conversational else LLAMA_TEXT).format(folder=folder, text=text)


READS = """import sys

sys.path.insert(0, "{folder}")
from inference import Model

print(Model({base})(["{text}"]))
"""
WRITES = """import sys

sys.path.insert(0, "{folder}")
from answer import Model  # with the output filter, where the export has one

print(Model({base}).answer("{text}").text)
"""
PIPELINE = """from transformers import pipeline

model = pipeline("text-classification", model="{folder}")
print(model("Your text"))
"""
ONNX = """import json

import numpy
import onnxruntime
from tokenizers import Tokenizer

how = json.load(open("{folder}/answering.json", encoding="utf-8"))
tokenizer = Tokenizer.from_file("{folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.no_truncation()
ids = tokenizer.encode("Your text").ids
if not how["closing"] and how["end"] is not None:  # a text is closed, as in training
    ids.append(how["end"])
read = numpy.array([ids], dtype=numpy.int64)
session = onnxruntime.InferenceSession("{folder}/model.onnx")
print(session.run(None, {{"input_ids": read, "attention_mask": numpy.ones_like(read)}})[0])
"""
LLAMA_CHAT = """from llama_cpp import Llama

model = Llama("{folder}/model.gguf", n_ctx=0, verbose=False)
said = model.create_chat_completion([{{"role": "user", "content": "{text}"}}], temperature=0, repeat_penalty=1.0)
print(said["choices"][0]["message"]["content"])
"""
LLAMA_TEXT = """from llama_cpp import Llama

model = Llama("{folder}/model.gguf", n_ctx=0, verbose=False)
said = model.create_completion("{text}", max_tokens=64, temperature=0, repeat_penalty=1.0)
print(said["choices"][0]["text"])
"""
