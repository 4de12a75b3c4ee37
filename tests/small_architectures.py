"""Tiny models of every architecture that GGUF is written for, with random weights and a tokenizer that cuts as theirs do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.small_model import CHAT_TEMPLATE, SPECIAL, TEXTS

KINDS = ("llama", "mistral", "qwen2", "qwen3", "gpt2")


def build(folder: Path, kind: str = "llama", seed: int = 7) -> Path:
    """Write a model and its tokenizer to `folder` and return it. Rows of all matrices are a multiple of 32 long."""
    import torch
    import transformers as t

    tokenizer = _tokenizer(kind)
    tokenizer.save_pretrained(folder)
    own = {"vocab_size": len(tokenizer), "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
           "pad_token_id": tokenizer.pad_token_id, "tie_word_embeddings": kind != "mistral"}  # fmt: skip
    shape = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.2}  # fmt: skip
    makers: dict[str, Any] = {
        "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**shape, **own, rope_theta=5000.0)),
        "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(**shape, **own, sliding_window=96, head_dim=32)),
        "qwen2": lambda: t.Qwen2ForCausalLM(t.Qwen2Config(**shape, **own)),
        "qwen3": lambda: t.Qwen3ForCausalLM(t.Qwen3Config(**shape, **own, head_dim=32)),
        "gpt2": lambda: t.GPT2LMHeadModel(
            t.GPT2Config(n_embd=64, n_layer=2, n_head=4, n_positions=128, initializer_range=0.2, **own)
        ),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = makers[kind]()
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(weight, std=0.3)  # zeros would hide a bias that got lost
    model.generation_config = t.GenerationConfig(
        eos_token_id=[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|end|>")],
        pad_token_id=tokenizer.pad_token_id,
    )
    model.save_pretrained(folder)
    return folder


def _tokenizer(kind: str) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    from core.data.gguf_support import SPLITS

    pieces = Tokenizer(models.BPE(ignore_merges=kind == "mistral"))
    words = {name: pattern for pattern, name in SPLITS.items()}
    split = {"qwen2": "qwen2", "qwen3": "qwen2", "mistral": "llama-bpe"}.get(kind)
    if split:
        pieces.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(words[split]), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    elif kind == "llama":
        pieces.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    else:
        pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if kind.startswith("qwen"):
        pieces.normalizer = normalizers.NFC()
    pieces.decoder = decoders.ByteLevel()
    special = [*SPECIAL, "<|begin|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(TEXTS * 3, trainer)
    opens = {}
    if kind == "mistral":  # a tokenizer that opens every text
        pieces.post_processor = processors.TemplateProcessing(
            single="<|begin|> $A", special_tokens=[("<|begin|>", special.index("<|begin|>"))]
        )
        opens = {"bos_token": "<|begin|>"}
    made = PreTrainedTokenizerFast(
        tokenizer_object=pieces, eos_token="<|endoftext|>", pad_token="<|pad|>", model_max_length=128, **opens
    )
    made.chat_template = "{{ bos_token }}" * bool(opens) + CHAT_TEMPLATE
    return made
