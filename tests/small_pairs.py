"""Build an encoder-decoder that is too small to know anything and quick enough to train in a test."""

from __future__ import annotations

from pathlib import Path

from tests.small_model import TEXTS


def build(folder: Path, seed: int = 7, kind: str = "t5") -> Path:
    """Write a tiny T5 (or BART) and its tokenizer to `folder` and return it. The same seed gives the same weights."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
        T5ForConditionalGeneration,
    )

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    special = ["<pad>", "</s>", "<unk>", "<s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(TEXTS * 3, trainer)
    single = "$A </s>" if kind == "t5" else "<s> $A </s>"
    pieces.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("</s>", 1), ("<s>", 3)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", model_max_length=128
    )
    tokenizer.save_pretrained(folder)
    ends = {"pad_token_id": 0, "eos_token_id": 1, "vocab_size": len(tokenizer)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "t5":
            model: torch.nn.Module = T5ForConditionalGeneration(
                T5Config(
                    d_model=48, d_kv=12, d_ff=96, num_layers=2, num_decoder_layers=2, num_heads=4,
                    decoder_start_token_id=0, dropout_rate=0.0, **ends,
                )
            )  # fmt: skip
        else:
            model = BartForConditionalGeneration(
                BartConfig(
                    d_model=48, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=96, decoder_ffn_dim=96,
                    encoder_attention_heads=4, decoder_attention_heads=4, max_position_embeddings=128,
                    decoder_start_token_id=1, bos_token_id=3, forced_eos_token_id=1, dropout=0.0, init_std=0.1, **ends,
                )
            )  # fmt: skip
    model.save_pretrained(folder)  # type: ignore[operator]
    return folder
