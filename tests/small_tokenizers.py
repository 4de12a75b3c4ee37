"""Small tokenizers of the kinds that models bring, made without torch: for tests of what becomes of a text."""

from __future__ import annotations

import string
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "Where is my order? It was sent on Monday.",
    "Thank you, the lamp is bright.",
    "Yes, it is here. No, it is not.",
]
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
GENERATION_TAGS = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
    "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
STRICT = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{{ m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant\\n' }}{% endif %}"
)


def byte_level(folder: Path, template: str | None = None, *, begin: bool = False, closed: bool = False) -> Path:
    """Like GPT-2, Qwen or Llama 3: byte-level BPE. `begin` puts <s> before each text, `closed` </s> behind it."""
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    special = ["</s>", "<s>", "<|im_start|>", "<|im_end|>", "<pad>"]
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, initial_alphabet=letters, show_progress=False)
    pieces.train_from_iterator(TEXTS * 5, trainer)
    if begin or closed:
        around = f"{'<s> ' * begin}$A{' </s>' * closed}"
        pieces.post_processor = processors.TemplateProcessing(single=around, special_tokens=[("<s>", 1), ("</s>", 0)])
    return _saved(pieces, folder, template, eos_token="</s>", bos_token="<s>", pad_token="<pad>")


def sentence_pieces(folder: Path) -> Path:
    """Like Llama 2: a blank before each text, written as an underline, and bytes for what is not in the vocabulary."""
    merges = [("▁", letter) for letter in "imWY"]
    letters = ["▁", *string.ascii_letters, *string.punctuation]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *map("".join, merges)]
    vocabulary = {name: i for i, name in enumerate(names)}
    pieces = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    pieces.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    pieces.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    pieces.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names[:3]])
    pieces.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return _saved(pieces, folder, None, eos_token="</s>", bos_token="<s>", unk_token="<unk>")


def word_pieces(folder: Path) -> Path:
    """Like BERT: whole words in lower case between [CLS] and [SEP], and a truncation of its own in the file."""
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    pieces.train_from_iterator(TEXTS, trainer)
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    pieces.enable_truncation(4)
    return _saved(pieces, folder, None, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]")


def _saved(pieces: Tokenizer, folder: Path, template: str | None, **special: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, clean_up_tokenization_spaces=False, **special)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder
