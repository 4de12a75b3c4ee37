"""Step phases, use of the device, share of the hardware limit: by a clock in hand, by arithmetic, by a real run."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_training as tiny
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from core.schemas.curves import PHASES
from core.training import device, hardware, loading
from core.training.phases import Phases
from core.training.train import train


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_belongs_to_the_innermost_phase_and_the_rest_is_other() -> None:
    clock = Clock()
    phases = Phases("cpu", clock)
    phases.start()
    clock.now = 1
    with phases.span("backward"):
        clock.now = 2
        with phases.span("forward"):
            clock.now = 5
        clock.now = 7
    clock.now = 11
    assert phases.seconds() == {"other": 5, "backward": 3, "forward": 3}


def test_what_happens_within_an_evaluation_or_a_checkpoint_belongs_to_it() -> None:
    clock = Clock()
    phases = Phases("cpu", clock)
    phases.start()
    with phases.span("evaluation"), phases.span("evaluation"), phases.span("forward"):
        clock.now = 4
    assert phases.seconds() == {"evaluation": 4, "other": 0}


def test_all_phases_together_are_the_whole_time() -> None:
    phases = Phases("cpu")
    phases.start()
    before = phases._mark
    for _ in range(100):
        with phases.span("data"), phases.span("forward"):
            pass
    assert sum(phases.seconds().values()) == pytest.approx(phases._mark - before)


def test_of_short_steps_only_some_are_taken_apart_and_the_others_count_as_they_do() -> None:
    clock, looked = Clock(), 0
    phases = Phases("cpu", clock)
    phases.start()
    for _ in range(1000):
        looked += phases.splitting
        with phases.span("forward"):
            clock.now += 0.0003
        with phases.span("backward"):
            clock.now += 0.0006
        clock.now += 0.0001
        phases.tick()
    with phases.span("evaluation"):
        clock.now += 5
    found = phases.seconds()
    assert 90 <= looked <= 130, "one in ten"
    assert found == pytest.approx({"forward": 0.3, "backward": 0.6, "other": 0.1, "evaluation": 5}, rel=1e-6)


def test_every_long_step_is_taken_apart() -> None:
    clock = Clock()
    phases = Phases("cpu", clock)
    phases.start()
    for _ in range(20):
        assert phases.splitting
        clock.now += 0.02
        phases.tick()


def test_a_device_whose_work_cannot_be_timed_without_waiting_has_no_phases() -> None:
    phases = Phases("mps")
    phases.start()
    with phases.span("forward"):
        pass
    assert phases.seconds() == {}


def test_the_events_of_a_card_are_read_only_when_it_has_passed_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Event:
        made: list[Event] = []
        passed = 0

        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing
            self.made.append(self)

        def record(self) -> None:
            self.at = len(self.made)

        def query(self) -> bool:
            return self.at <= Event.passed

        def elapsed_time(self, other: Event) -> float:
            assert other.query(), "asking an event that has not been passed would wait"
            return 1000.0 * (other.at - self.at)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    phases = Phases("cuda")
    phases.start()  # event 1
    with phases.span("forward"):  # 2, 3
        pass
    Event.passed = 2
    assert phases.seconds() == {"other": 1.0}
    Event.passed = 99
    assert phases.seconds()["forward"] == 1.0


@pytest.fixture(scope="module")
def llama() -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=100, hidden_size=16, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


# By hand: query and output 16×16, key and value 16×8, three of 16×40; two layers; the head 100×16 although it is tied.
LINEAR = 2 * (2 * 16 * 16 + 2 * 16 * 8 + 3 * 16 * 40) + 100 * 16
ATTENTION = 6 * 2 * 16 * 30  # 6 * layers * (heads * size of a head) * context


def test_a_token_costs_six_times_the_linear_weights_and_the_attention(llama: LlamaForCausalLM) -> None:
    assert hardware.flops_per_token(llama, False, 30) == 6 * LINEAR + ATTENTION


def test_with_an_adapter_the_frozen_weights_cost_four_and_its_own_six(llama: LlamaForCausalLM) -> None:
    import copy

    model = loading.with_adapter(copy.deepcopy(llama), "causal-lm", tiny.LORA, loading.methods.get("lora"))
    own = loading.parameter_counts(model)[1]
    assert own > 0
    assert hardware.flops_per_token(model, True, 30) == 4 * LINEAR + 6 * own + ATTENTION


def test_frozen_layers_are_only_passed_through(llama: LlamaForCausalLM) -> None:
    import copy

    model = copy.deepcopy(llama)
    loading.freeze_layers(model, 1)
    layer = (LINEAR - 1600) // 2
    # The table is frozen and with it the tied head.
    assert hardware.flops_per_token(model, False, 0) == 2 * LINEAR + 4 * layer


def test_the_context_of_a_token_is_weighted_by_the_length_of_its_document() -> None:
    assert hardware.mean_context([10, 30]) == (100 + 900) / 40
    assert hardware.mean_context([]) == 0


def test_the_ceiling_is_measured_without_touching_the_random_numbers_of_the_training() -> None:
    before = torch.get_rng_state()
    ceiling, how = hardware.measured_ceiling(device.choose("float32", adapter=False))
    assert torch.equal(torch.get_rng_state(), before)
    assert 1e8 < ceiling < 1e15
    assert "float32" in how and "768 × 768" in how


def test_use_that_cannot_be_asked_is_unknown_and_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> int:
        raise ModuleNotFoundError("pynvml")

    card = device.Device("cuda", "a card", torch.float32, True)
    monkeypatch.setattr(torch.cuda, "utilization", missing)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 5)
    assert hardware.device_use(card) is None
    assert hardware.Usage(card).read() == {"memory": 5.0}
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 40)
    assert hardware.Usage(card).read() == {"memory": 5.0, "use": 0.4}


def test_a_real_training_tells_its_phases_use_tokens_and_moments(tmp_path: Path, small_model: Path) -> None:
    diary = tiny.Diary()
    result = train(tiny.spec_of("chat, LoRA", tmp_path, small_model, rows=24), diary)
    spent = diary.points["phases", "forward"]
    assert spent, "phases are written at the first step at least"
    first = min(spent)
    told = {name: diary.points["phases", name][first] for name in PHASES if first in diary.points["phases", name]}
    assert {"data", "forward", "backward", "optimiser", "evaluation"} <= set(told)
    assert all(seconds > 0 for seconds in told.values())
    assert sum(told.values()) <= result.seconds
    tokens = diary.points["batch", "tokens"]
    assert list(tokens.values()) == sorted(tokens.values()) and max(tokens.values()) == result.train_tokens
    assert min(diary.points["batch", "share_of_limit"].values()) > 0
    assert max(diary.points["batch", "share_of_limit"].values()) < 1
    assert min(diary.points["batch", "memory"].values()) > 50e6
    assert 0 < max(diary.points["batch", "use"].values()) <= 1.1
    kinds = [kind for kind, _, _ in diary.events]
    assert kinds[:2] == ["hardware", "started"]
    saved = [(step, data["bytes"]) for kind, step, data in diary.events if kind == "checkpoint"]
    assert {step for step, _ in saved} >= diary.checkpoints and all(size > 1000 for _, size in saved)
