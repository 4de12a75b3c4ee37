"""Pre-train the starter model that ships with Tunewell, on a CPU or a GPU, within a time budget.

    python tools/pretrain_starter.py --corpus ../shared/data/starter_corpus --minutes 120

The run resumes from its work folder, logs one JSON object a line, and writes a Hugging Face folder at the end. The
schedule follows the clock: warm-up, constant, and a linear fall over the last `--anneal` share of the budget, during
which only the simple corpus and the conversations are read.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
from starter_corpus import (
    CHAT_TEMPLATE,
    END_OF_TEXT,
    END_OF_TURN,
    PAD,
    SPECIAL_TOKENS,
    dialogue,
    documents,
    instructions,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[1]
CONTEXT = 512
HELD_OUT_EVERY = 200  # one document in 200 is never trained on


def build_tokenizer(corpus: Path, work: Path, vocabulary: int) -> PreTrainedTokenizerFast:
    """Train (or load) a byte-level BPE tokenizer on every seventh document of the full and simple corpora."""
    path = work / "tokenizer.json"
    if not path.exists():
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=SPECIAL_TOKENS,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        sample = (
            text
            for name, every in (("full", 12), ("simple", 7), ("dialogue", 1))
            for i, text in enumerate(documents(corpus / f"starter_{name}.txt.xz"))
            if i % every == 0
        )
        tokenizer.train_from_iterator(sample, trainer)
        tokenizer.save(str(path))
    fast = PreTrainedTokenizerFast(
        tokenizer_file=str(path),
        eos_token=END_OF_TEXT,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def encode_corpus(
    corpus: Path, work: Path, tokenizer: PreTrainedTokenizerFast, with_full: bool
) -> dict[str, np.ndarray]:
    """Encode each stream once to uint16 on disk. Returns memory maps of token ids and the held-out texts' bytes."""
    rng = random.Random(17)
    eos = tokenizer.eos_token_id
    backend = tokenizer.backend_tokenizer

    def write(name: str, texts: list[str]) -> None:
        path = work / f"{name}.bin"
        with open(path.with_suffix(".tmp"), "wb") as out:
            for start in range(0, len(texts), 256):
                for encoding in backend.encode_batch_fast(texts[start : start + 256]):
                    np.asarray([*encoding.ids, eos], dtype=np.uint16).tofile(out)
        os.replace(path.with_suffix(".tmp"), path)

    if not (work / "done.json").exists():
        simple = [t for t in documents(corpus / "starter_simple.txt.xz") if t]
        held_out = simple[::HELD_OUT_EVERY]
        simple = [t for i, t in enumerate(simple) if i % HELD_OUT_EVERY]
        chats = [t for d in documents(corpus / "starter_dialogue.txt.xz") if (t := dialogue(d))]
        chats += [t for d in simple for t in instructions(d, rng)]
        rng.shuffle(simple)
        rng.shuffle(chats)
        write("held_out", held_out)
        write("simple", simple)
        write("chat", chats)
        if with_full:
            full = [t for i, t in enumerate(documents(corpus / "starter_full.txt.xz")) if t and t not in set(held_out)]
            rng.shuffle(full)
            write("full", full)
        (work / "done.json").write_text(json.dumps({"held_out_bytes": sum(len(t.encode()) for t in held_out)}))
    names = ["held_out", "simple", "chat", *(["full"] if with_full else [])]
    return {name: np.memmap(work / f"{name}.bin", dtype=np.uint16, mode="r") for name in names}


def batch(stream: np.ndarray, step: int, size: int, salt: int) -> np.ndarray:
    """Blocks of CONTEXT + 1 tokens: a fixed permutation of the stream for each pass, so that a resume repeats nothing."""
    blocks = (len(stream) - 1) // CONTEXT
    index = np.arange(step * size, (step + 1) * size)
    order = {p: np.random.default_rng([salt, int(p)]).permutation(blocks) for p in set(index // blocks)}
    starts = [order[p][i] * CONTEXT for p, i in zip(index // blocks, index % blocks, strict=True)]
    return np.stack([stream[s : s + CONTEXT + 1] for s in starts]).astype(np.int64)


@torch.no_grad()
def bits_per_byte(model: LlamaForCausalLM, held_out: np.ndarray, n_bytes: int, device: str) -> float:
    """Negative log-likelihood of the held-out text in bits, divided by its length in bytes."""
    model.eval()
    nats = 0.0
    blocks = (len(held_out) - 1) // CONTEXT
    for start in range(0, blocks, 16):
        rows = [held_out[i * CONTEXT : (i + 1) * CONTEXT + 1] for i in range(start, min(start + 16, blocks))]
        ids = torch.from_numpy(np.stack(rows).astype(np.int64)).to(device)
        nats += model(input_ids=ids[:, :-1], labels=ids[:, :-1]).loss.item() * ids[:, 1:-1].numel()
    model.train()
    tokens = blocks * (CONTEXT - 1)
    return nats / math.log(2) / (n_bytes * tokens / len(held_out))


@torch.no_grad()
def samples(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, device: str) -> list[dict[str, str]]:
    """Generate from fixed prompts (temperature 0.7, seed 3), for the log and the model card."""
    model.eval()
    torch.manual_seed(3)
    out = []
    for prompt in (
        "Once upon a time there was a little girl who",
        "The old man looked at the sea and",
        "<|user|>Continue the story: The fox was hungry. He saw a bird in a tree.<|end|><|assistant|>",
        "<|user|>Can I have a latte with oat milk, please?<|end|><|assistant|>",
        "<|user|>Tell a short story with these words: garden, mother, flower.<|end|><|assistant|>",
    ):
        ids = tokenizer(prompt, return_tensors="pt").input_ids.to(device)
        ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TURN)]
        generated = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=0.7,
            top_p=0.9,
            max_new_tokens=70,
            eos_token_id=ends,
            pad_token_id=tokenizer.pad_token_id,
        )
        out.append({"prompt": prompt, "text": tokenizer.decode(generated[0, ids.shape[1] :])})
    model.train()
    return out


def optimisers(model: LlamaForCausalLM, rate: float, device: str) -> list[torch.optim.Optimizer]:
    """AdamW; on a GPU, Muon for the matrices inside the blocks (its bf16 iterations are too slow on a CPU)."""
    inside = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
    chosen = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    if device == "cpu":
        decay = [{"params": inside, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
        return [torch.optim.AdamW(decay, lr=rate, betas=(0.9, 0.95))]
    return [
        torch.optim.Muon(inside, lr=rate, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def schedule(share: float, step: int, anneal: float) -> float:
    """Learning-rate factor at `share` of the time budget: 100 steps of warm-up, constant, linear to 2%."""
    fall = 1.0 if share < 1 - anneal else max(0.02, (1 - share) / anneal)
    return min(1.0, (step + 1) / 100) * fall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=ROOT / "storage" / "pretrain")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "models" / "tunewell-starter")
    parser.add_argument("--minutes", type=float, default=120, help="whole training time, resumed parts included")
    parser.add_argument("--anneal", type=float, default=0.3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=8, help="sequences of 512 tokens a step")
    parser.add_argument("--micro-batch", type=int, default=4, help="sequences at once; 0 for all (on a GPU)")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--full", action="store_true", help="read the full corpus before the annealing (for a GPU)")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--stop-file", type=Path, help="when this file appears, the annealing starts at once")
    args = parser.parse_args()

    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = build_tokenizer(args.corpus, args.work, args.vocabulary)
    streams = encode_corpus(args.corpus, args.work, tokenizer, args.full)
    held_out_bytes = json.loads((args.work / "done.json").read_text())["held_out_bytes"]

    torch.manual_seed(17)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=args.hidden,
        intermediate_size=int(args.hidden * 8 / 3 / 32) * 32,
        num_hidden_layers=args.layers,
        num_attention_heads=args.hidden // 32,
        num_key_value_heads=args.hidden // 32,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config).to(device)
    opts = optimisers(model, args.rate, device)
    state = {"step": 0, "seconds": 0.0, "tokens": 0, "simple": 0, "chat": 0, "full": 0, "budget": args.minutes * 60}
    checkpoint = args.work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for opt, opt_state in zip(opts, saved["optimisers"], strict=True):
            opt.load_state_dict(opt_state)
        state.update(saved["state"])
        state["budget"] = max(state["budget"], args.minutes * 60)
    forward = torch.compile(model) if args.compile else model
    log = open(args.work / "log.jsonl", "a", buffering=1)  # noqa: SIM115 - open until the process ends
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, { ({k: len(v) for k, v in streams.items()}) }")

    def save() -> None:
        temporary = checkpoint.with_suffix(".tmp")
        torch.save(
            {"model": model.state_dict(), "optimisers": [o.state_dict() for o in opts], "state": state}, temporary
        )
        os.replace(temporary, checkpoint)

    last_save = time.monotonic()
    model.train()
    while state["seconds"] < state["budget"]:
        began = time.monotonic()
        if args.stop_file and args.stop_file.exists():
            state["budget"] = min(state["budget"], state["seconds"] / (1 - args.anneal))
        share = state["seconds"] / state["budget"]
        annealing = share > 1 - args.anneal
        text = "full" if args.full and not annealing else "simple"
        chats = args.batch // 2 if annealing else args.batch // 8
        rows = []
        for name, count, salt in ((text, args.batch - chats, 1), ("chat", chats, 2)):
            size = args.batch // 8  # counted in eighths of a batch, so that a change of share keeps the order
            for _ in range(count // size):
                rows.append(batch(streams[name], state[name], size, salt))
                state[name] += 1
        ids = torch.from_numpy(np.concatenate(rows)).to(device)
        parts = ids.split(args.micro_batch or len(ids))
        factor = schedule(share, state["step"], args.anneal)
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.rate * factor
        total = 0.0
        for part in parts:
            with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
                logits = forward(input_ids=part[:, :-1]).logits
                loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten())
            (loss * len(part) / len(ids)).backward()
            total += loss.detach() * len(part) / len(ids)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        state["step"] += 1
        state["tokens"] += args.batch * CONTEXT
        state["seconds"] += time.monotonic() - began
        if state["step"] % 20 == 0:
            row = {
                **state,
                "loss": float(total),
                "grad_norm": norm.item(),
                "rate": args.rate * factor,
                "tokens_per_second": round(args.batch * CONTEXT / (time.monotonic() - began)),
            }
            if state["step"] % 400 == 0:
                row["bits_per_byte"] = bits_per_byte(model, streams["held_out"], held_out_bytes, device)
                row["samples"] = samples(model, tokenizer, device)
            log.write(json.dumps(row) + "\n")
        if time.monotonic() - last_save > 120:
            save()
            last_save = time.monotonic()
    save()

    result = {
        **state,
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out_bits_per_byte": bits_per_byte(model, streams["held_out"], held_out_bytes, device),
        "samples": samples(model, tokenizer, device),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TURN)]
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
    model.to(torch.bfloat16).save_pretrained(args.out, safe_serialization=True)
    tokenizer.save_pretrained(args.out)
    (args.out / "training.json").write_text(json.dumps(result, indent=2))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
