"""What a step on a graphics card launches, reads and writes, and how long it must take, counted on any machine without a card:

    python -m benchmarks.launches [--shapes llama-3.2-1b …] [--rows 8] [--json FILE]

The published shapes at full size and all their layers go through the product's own step with tensors that have a shape and no
numbers (FakeTensorMode). Every operator is counted with the bytes of what it reads and writes and the arithmetic of its products.
The roofline: an operator takes the longer of its bytes at 4.8 TB/s and its arithmetic at 790 TFLOP/s (an H200), the attention at
the 300 TFLOP/s that flash attention 2 reaches, and at least 2 microseconds; the processor needs 8 for each launch meanwhile.
For compiled layers what one compiler's graph holds between two products is taken as one kernel (ideal fusion). **These are
predictions**: real products reach 80 to 95% of their line, real copies 70 to 90%.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch._dynamo.backends.common import aot_autograd
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmarks import gpu
from core.training import adapters, hardware, loading, one_pass, regional, token_loss, varlen
from core.training.collators import LanguageCollator

FLOPS, ATTENTION_FLOPS, BYTES = 790e12, 300e12, 4.8e12
LEAST, LAUNCH = 2e-6, 8e-6  # seconds of the smallest kernel, and of the processor for a launch
NARROW = 64  # a product with a side of at most so many numbers is an adapter's
PRODUCTS = ("mm", "addmm", "addmm_", "bmm", "baddbmm")
COPIES = ("_to_copy", "clone", "copy_", "contiguous")
NOTHING = (
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach", "alias", "_unsafe_view", "view",
    "reshape", "device",
)  # fmt: skip


@dataclass
class Part:
    launches: int = 0
    bytes: float = 0.0
    flops: float = 0.0
    seconds: float = 0.0


@dataclass
class Count:
    """Of one step, by part."""

    parts: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))

    def add(self, part: str, size: float, flops: float = 0.0, launches: int = 1) -> None:
        found = self.parts[part]
        found.launches += launches
        found.bytes += size
        found.flops += flops
        speed = ATTENTION_FLOPS if part == "attention" else FLOPS
        found.seconds += max(size / BYTES, flops / speed, LEAST * launches)

    @property
    def device(self) -> float:
        return sum(part.seconds for part in self.parts.values())

    @property
    def host(self) -> float:
        return LAUNCH * sum(part.launches for part in self.parts.values())


def size_of(values: Any) -> float:
    return float(sum(t.numel() * t.element_size() for t in tree_leaves(values) if isinstance(t, torch.Tensor)))


def is_view(func: Any) -> bool:
    return any(r.alias_info is not None and not r.alias_info.is_write for r in func._schema.returns)


def part_of(func: Any, args: Any) -> str:
    name = func._schema.name.split("::")[-1]
    if "varlen" in name or "attention" in name:
        return "attention"
    if name in PRODUCTS:
        sides = [n for t in args if isinstance(t, torch.Tensor) for n in t.shape]
        return "adapters" if min(sides) <= NARROW else "products"
    return "copies" if name in COPIES else "element by element"


class Watch(TorchDispatchMode):
    """Counts what is dispatched; `scope` names the part that everything belongs to meanwhile."""

    def __init__(self, count: Count) -> None:
        super().__init__()
        self.count, self.scope = count, ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]
        if self.scope != "nothing" and not is_view(func) and name not in NOTHING:
            part = part_of(func, args)
            flops = flop_registry.get(func._overloadpacket)
            work = flops(*args, **(kwargs or {}), out_val=out) if flops else 0
            if part == "attention":
                work = self.attention_flops * (1 if "backward" not in name else 2.5)
            if self.scope and part != "attention":
                part = self.scope
            self.count.add(part, size_of((args, kwargs, out)), work)
        return out

    attention_flops = 0.0  # of a forward pass through one layer, within documents and causal


@contextmanager
def as_on_a_card(watch: Watch) -> Iterator[None]:
    """The head's tiles are read and turned by one kernel each, and it is a part of its own."""

    def read(tile: torch.Tensor, ids: torch.Tensor) -> Any:
        watch.count.add("head and loss", size_of(tile))
        return tuple(tile.new_empty(len(tile), dtype=kind) for kind in (torch.float32, torch.float32, torch.bool))

    def turn(tile: torch.Tensor, ids: torch.Tensor, sums: torch.Tensor) -> None:
        watch.count.add("head and loss", 2 * size_of(tile))

    def wide(acc: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> None:
        watch.count.add("head and loss", size_of((acc, acc, a, b)), 2.0 * a.shape[0] * a.shape[1] * b.shape[1])

    plain = one_pass.summed

    def summed(*given: Any) -> Any:
        watch.scope = "head and loss"
        out = plain(*given)
        watch.scope = ""
        return out

    with (
        mock.patch.object(one_pass, "_read", read),
        mock.patch.object(one_pass, "_turn", turn),
        mock.patch.object(one_pass.trl, "_addmm_fp32", wide),
        mock.patch.object(one_pass, "summed", summed),
        mock.patch.object(token_loss, "MOST_NUMBERS", 0),
    ):
        yield


def fused(count: Count, attention_flops: float) -> Callable[..., Any]:
    """A compiler that counts a graph as it would be run: products and the attention, and one kernel between them."""

    def compiler(graph: torch.fx.GraphModule, _: Any) -> Any:
        used: list[Callable[[], None]] = []
        group: dict[Any, Any] = {}

        def root(node: Any) -> Any:
            while group[node] is not node:
                node = group[node]
            return node

        def value(node: Any) -> Any:
            return node.meta.get("val")

        outside = []
        for node in graph.graph.nodes:
            if node.op != "call_function" or not hasattr(node.target, "_schema"):
                continue
            part = part_of(node.target, [value(a) if isinstance(a, torch.fx.Node) else a for a in node.args])
            if part in ("attention", "products", "adapters"):
                outside.append((node, part))
            else:
                group[node] = node
                for given in node.all_input_nodes:
                    if given in group:
                        group[root(given)] = root(node)
        for node, part in outside:
            flops = flop_registry.get(node.target._overloadpacket)
            given = [value(a) if isinstance(a, torch.fx.Node) else a for a in node.args]
            work = flops(*given, **node.kwargs, out_val=value(node)) if flops and part != "attention" else 0
            if part == "attention":
                work = attention_flops * (2.5 if "backward" in str(node.target) else 1)
            size = size_of([value(n) for n in node.all_input_nodes]) + size_of(value(node))
            used.append(lambda part=part, size=size, work=work: count.add(part, size, work))  # type: ignore[misc]
        members: dict[Any, list[Any]] = defaultdict(list)
        for node in group:
            members[root(node)].append(node)
        for nodes in members.values():
            inside = set(nodes)
            if all(is_view(n.target) for n in nodes):
                continue
            read = {given for n in nodes for given in n.all_input_nodes if given not in inside}
            wrote = [n for n in nodes if any(user not in inside for user in n.users) and not is_view(n.target)]
            size = size_of([value(n) for n in read]) + size_of([value(n) for n in wrote])
            used.append(lambda size=size: count.add("fused", size))  # type: ignore[misc]

        def run(*given: Any) -> Any:
            for each in used:
                each()
            return torch.fx.Interpreter(graph).run(*given)

        return run

    return compiler


def prepared(shape: str, method: str, rows: int) -> tuple[Any, dict[str, Any], float]:
    """Model and batch without numbers, inside a FakeTensorMode; and the arithmetic of attention in one layer, forwards."""
    size = gpu.Size(rows=rows)
    config = gpu.config_of(shape)
    dtype = torch.bfloat16 if method == "lora" else torch.float32
    with unset_fake_temporarily():
        model = loading.prepared(gpu.model_of(config, "meta", dtype), "causal-lm", gpu.recipe_of(method, size))
    for module in model.modules():  # as if they were on the device
        for held in (module._parameters, module._buffers):
            for name, t in held.items():
                if t is not None:
                    fake = torch.empty(t.shape, dtype=t.dtype)
                    held[name] = (
                        torch.nn.Parameter(fake, t.requires_grad) if isinstance(t, torch.nn.Parameter) else fake
                    )
    (model.get_base_model() if method == "lora" else model).set_attn_implementation(varlen.NAME)
    token_loss.teach(model)
    lengths = gpu.documents(size)
    context = hardware.mean_context([n for row in lengths for n in row])
    ids = [[7] * size.width for _ in range(rows)]
    each = [{"input_ids": i, "labels": i, "seq_lengths": n} for i, n in zip(ids, lengths, strict=True)]
    flops = 2.0 * config.num_attention_heads * config.head_dim * context * rows * size.width
    with unset_fake_temporarily():
        return model.train(), LanguageCollator(0, by_example=True)(each), flops


def counted(shape: str, method: str, rows: int, way: str) -> Count:
    """One step the given way: plain, peft (plain, with peft's own adapters) or compiled."""
    count, mode = Count(), FakeTensorMode(allow_non_fake_inputs=True)
    with mode:
        model, batch, attention = prepared(shape, method, rows)
        batch = {k: mode.from_tensor(v) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
        if way == "peft":
            adapters.as_peft_made_it(model)
    learning = [p for p in model.parameters() if p.requires_grad]
    if way == "compiled":
        torch._dynamo.reset()
        compiler = fused(count, attention)
        regional.compile_layers(model, aot_autograd(fw_compiler=compiler, bw_compiler=compiler))
        with mode, torch.autocast("cpu", torch.bfloat16):
            loss, _, _ = token_loss.loss_and_hits(model, batch)
        with mode:
            loss.backward()
        whole = counted(shape, method, rows, "plain")
        count.parts["head and loss"] = whole.parts["head and loss"]
    else:
        watch = Watch(count)
        watch.attention_flops = attention
        with mode, as_on_a_card(watch), watch:
            with torch.autocast("cpu", torch.bfloat16):
                loss, _, _ = token_loss.loss_and_hits(model, batch)
            loss.backward()
    numbers = sum(p.numel() for p in learning)
    # Norm of the gradients, their factor, and fused AdamW: 4 + 8 + 28 bytes each; about thirty tensors to a launch.
    count.add("optimiser", 40.0 * numbers, launches=3 * (1 + len(learning) // 30))
    return count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shapes", nargs="+", default=["llama-3.2-1b", "qwen3-0.6b"])
    parser.add_argument("--methods", nargs="+", default=["full", "lora"])
    parser.add_argument("--ways", nargs="+", default=["peft", "plain", "compiled"])
    parser.add_argument("--rows", type=int, help="of a batch; else those of benchmarks/gpu.py")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = []
    for shape in options.shapes:
        rows = options.rows or gpu.ROWS.get(shape, 2)
        for method in options.methods:
            for way in options.ways:
                if way == "peft" and method != "lora":
                    continue
                count = counted(shape, method, rows, way)
                tokens = rows * gpu.WIDTH
                seconds = max(count.device, count.host)
                launches = sum(p.launches for p in count.parts.values())
                print(
                    f"\n{shape} {method} {way}, {rows} rows: {launches:,} launches, device "
                    f"{1000 * count.device:.0f} ms, processor {1000 * count.host:.0f} ms: "
                    f"{tokens / seconds:,.0f} tokens/s at most"
                )
                for name, part in sorted(count.parts.items(), key=lambda item: -item[1].seconds):
                    print(
                        f"  {name:<20}{part.launches:>7,} launches{part.bytes / 1e9:>8.1f} GB{part.flops / 1e12:>8.1f} TFLOP"
                        f"{1000 * part.seconds:>8.1f} ms"
                    )
                report.append({
                    "shape": shape, "method": method, "way": way, "rows": rows, "device": count.device, "host": count.host,
                    "parts": {name: vars(part) for name, part in count.parts.items()},
                })  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
