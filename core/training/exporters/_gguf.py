"""Write a model as one GGUF file for llama.cpp (format: ggml/docs/gguf.md; names of tensors: the `gguf` library).

Only what `core/data/gguf_support.py` lets through gets here. What differs from the model's own layout: llama.cpp turns
neighbouring numbers of a query or key where our models turn those half a head apart, so the rows of q and k are reordered for
the llama architecture; GPT-2 keeps its matrices the other way round. Matrices are stored in the wanted format, everything of
one dimension in 32 bits; a matrix whose rows are not a multiple of 32 long cannot be in Q8_0 blocks and stays in 16 bits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.gguf_support import ARCHITECTURES, pre_tokenizer
from core.data.ollama import for_other_engines, modelfile
from core.schemas.errors import UserError
from core.schemas.examples import Message

from ._writer import Given

READERS = ("gguf", "llama.cpp")
FILE = "model.gguf"
BLOCK = 32
LARGEST_F16 = 65504.0
_PERMUTED = re.compile(r"self_attn\.([qk])_proj\.weight$")
_TRANSPOSED = re.compile(r"\.(c_attn|c_proj|c_fc)\.weight$")


def write(given: Given, folder: Path, kind: str) -> None:
    """Fill `folder` with the file and Ollama's Modelfile. `kind` is F16 or Q8_0."""
    import gguf

    model = given.merged()
    config = model.config
    arch = ARCHITECTURES[config.model_type]
    writer = gguf.GGUFWriter(folder / FILE, arch, use_temp_file=False)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("tuned")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if kind == "F16" else gguf.LlamaFileType.MOSTLY_Q8_0)
    if kind == "Q8_0":
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    context = _settings(writer, config, arch)
    _tokens(writer, given, config.vocab_size)
    stored = list(_tensors(model, config, arch, kind))
    for name, shape, _, raw in stored:
        count = int(np.prod(shape))
        writer.add_tensor_info(name, shape, np.dtype(np.float32), _bytes(count, raw), raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, _, values, raw in stored:  # one at a time, so that the model is in memory once
        given.obey()
        data = values()
        if raw is not gguf.GGMLQuantizationType.F32 and np.abs(data).max(initial=0.0) > LARGEST_F16:
            raise UserError(
                "This model cannot be written as GGUF.",
                f"A weight of {name} is too large for 16 bits.",
                "Export the whole model instead.",
            )
        writer.write_tensor_data(gguf.quants.quantize(data, raw))
    writer.close()
    (folder / "Modelfile").write_text(modelfile(given.codec, given.conversational, given.ends, context, FILE), "utf-8")


def _bytes(count: int, raw: Any) -> int:
    """Of so many numbers stored so."""
    import gguf

    each, size = gguf.GGML_QUANT_SIZES[raw]
    return count // each * size


def _settings(writer: Any, config: Any, arch: str) -> int:
    """The shape of the model. Returns how many tokens it reads at once."""
    if arch == "gpt2":
        context = int(config.n_positions)
        writer.add_context_length(context)
        writer.add_embedding_length(config.n_embd)
        writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
        writer.add_block_count(config.n_layer)
        writer.add_head_count(config.n_head)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return context
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    # llama.cpp looks at all tokens; up to the window that is the same.
    window = getattr(config, "sliding_window", None)
    context = min(config.max_position_embeddings, window or config.max_position_embeddings)
    writer.add_context_length(context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(head)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(config.vocab_size)
    return int(context)


def _tokens(writer: Any, given: Given, vocabulary: int) -> None:
    """Vocabulary, merges, which tokens are special, which end an answer, whether a text is opened, and the chat template."""
    import gguf

    codec, tokenizer = given.codec, given.codec.tokenizer
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    names = {index: token for token, index in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    if max(names) >= vocabulary:
        raise UserError(
            "This model cannot be written as GGUF.",
            "Its tokenizer has more tokens than the model has places for.",
            "Export the whole model instead.",
        )
    kinds = gguf.TokenType
    types = [
        kinds.UNUSED if i not in names
        else kinds.NORMAL if i not in added
        else kinds.CONTROL if added[i].special
        else kinds.USER_DEFINED
        for i in range(vocabulary)
    ]  # fmt: skip
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer(given.source))
    writer.add_token_list([names.get(i, f"[PAD{i}]") for i in range(vocabulary)])
    writer.add_token_types(types)
    merges = content["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    opening = tokenizer.backend_tokenizer.encode("a").ids[: codec.opening]
    begin = opening[0] if opening else tokenizer.bos_token_id
    if begin is None:
        begin = (
            codec.eos if codec.eos is not None else given.ends[0]
        )  # llama.cpp would take token 11 else; never put before
    writer.add_bos_token_id(begin)
    writer.add_add_bos_token(_opened(given, begin, bool(opening)))
    writer.add_add_eos_token(False)
    ends = sorted(given.ends, key=lambda i: i != codec.eos)
    for token, add in zip(
        ends, (writer.add_eos_token_id, writer.add_eot_token_id, writer.add_eom_token_id), strict=False
    ):
        add(token)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(for_other_engines(codec.chat.text, tokenizer.bos_token or ""))


def _opened(given: Given, begin: int, opens: bool) -> bool:
    """Whether what the model was asked begins with the token that opens a text. In a conversation the template says so, and
    llama.cpp takes a second one away."""
    if not given.conversational:
        return opens
    return given.codec.prompt_ids((Message(role="user", content="a"),))[:1] == [begin]


def _tensors(model: Any, config: Any, arch: str, kind: str) -> Iterator[tuple[str, tuple[int, ...], Any, Any]]:
    """(GGUF's name, shape, a function that gives the numbers in 32 bits, how they are stored)."""
    import gguf

    layers = config.n_layer if arch == "gpt2" else config.num_hidden_layers
    known = gguf.get_tensor_name_map(next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch), layers)
    tied = bool(config.tie_word_embeddings)
    for own, tensor in model.state_dict().items():
        if (tied and own == "lm_head.weight") or own.endswith(
            (".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")
        ):
            continue
        name = known.get_name(own, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise UserError(
                "This model cannot be written as GGUF.",
                f"Its part {own} has no place in the format.",
                "Export the whole model instead.",
            )
        turned = arch == "gpt2" and _TRANSPOSED.search(own) is not None
        part = _PERMUTED.search(own) if arch == "llama" else None
        heads = (config.num_attention_heads if part[1] == "q" else config.num_key_value_heads) if part else 0
        shape = tuple(tensor.shape[::-1] if turned else tensor.shape)

        def values(tensor: Any = tensor, turned: bool = turned, heads: int = heads) -> NDArray[np.float32]:
            out: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
            out = out.T if turned else out
            if heads:
                out = out.reshape(heads, 2, out.shape[0] // heads // 2, out.shape[1]).swapaxes(1, 2).reshape(out.shape)
            return np.ascontiguousarray(out)

        types = gguf.GGMLQuantizationType
        if len(shape) == 1 or name == "position_embd.weight":
            yield name, shape, values, types.F32
        else:
            yield name, shape, values, types.Q8_0 if kind == "Q8_0" and shape[-1] % BLOCK == 0 else types.F16
