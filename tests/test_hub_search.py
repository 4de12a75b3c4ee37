"""Search for models with the hub's own client against a stand-in on loopback: filters, pages, size, and no answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import migrated
from huggingface_hub.hf_api import ModelInfo
from stand_in_hub import COMMIT, Hub
from streamlit.testing.v1 import AppTest

from core.schemas.errors import UserError
from core.schemas.hub import HubFound, HubModel, HubQuery
from core.services import hub_search, projects


def listed(name: str, size: int | None, kind: str = "text-generation", **more: Any) -> dict[str, Any]:
    """A model as the hub's API lists it."""
    tags = ["transformers", "safetensors", kind, "en", "license:apache-2.0", *more.pop("tags", [])]
    architecture = {"text-generation": "LlamaForCausalLM", "fill-mask": "BertForMaskedLM"}.get(
        kind, "T5ForConditionalGeneration"
    )
    return {
        "id": name,
        "sha": COMMIT,
        "tags": tags,
        "pipeline_tag": kind,
        "library_name": "transformers",
        "downloads": more.pop("downloads", 0),
        "likes": more.pop("likes", 0),
        "lastModified": more.pop("changed", "2025-01-02T03:04:05.000Z"),
        "gated": more.pop("gated", False),
        "cardData": {"license": "apache-2.0", "language": ["en"]},
        "config": {"architectures": [architecture], "model_type": "llama"},
        **({"safetensors": {"parameters": {"F32": size}, "total": size}} if size else {}),
        **more,
    }


MODELS = [
    listed("toy/small", 50_000_000, downloads=5, likes=9, changed="2024-01-01T00:00:00.000Z"),
    listed("toy/large", 7_000_000_000, downloads=50, likes=2, gated="manual"),
    listed("toy/unknown", None, downloads=40),
    listed("toy/own-code", 60_000_000, downloads=4, tags=["custom_code"]),
    listed("other/small", 70_000_000, downloads=3, likes=1, changed="2025-09-01T00:00:00.000Z"),
    listed("toy/bert", 110_000_000, "fill-mask", downloads=2),
    {**listed("toy/pickle", 10_000_000, downloads=99), "tags": ["transformers", "en", "license:apache-2.0"]},
]


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    started = Hub({}, listed=MODELS)
    yield started
    started.http.shutdown()


def search(url: str, *queries: HubQuery, deadline: float = 60.0) -> list[Any]:
    """What the searches give in a process that knows only this hub: what was found, or the error."""
    code = (
        "import json, sys\n"
        "from core.schemas.errors import UserError\n"
        "from core.schemas.hub import HubQuery\n"
        "from core.services import hub_search\n"
        "for query in json.loads(sys.argv[1]):\n"
        "    try:\n"
        "        found = hub_search.search(HubQuery.model_validate(query), deadline=float(sys.argv[2]))\n"
        "        print(found.model_dump_json())\n"
        "    except UserError as error:\n"
        "        print(json.dumps({'error': error.as_dict()}))\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    asked = json.dumps([query.model_dump() for query in queries])
    command = [sys.executable, "-c", code, asked, str(deadline)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_hub_is_searched_by_text_task_language_licence_size_and_order(hub: Hub) -> None:
    everything, words, small, large, encoders, liked, newest, german, free = search(
        hub.url,
        HubQuery(),
        HubQuery(text="SMALL"),
        HubQuery(largest=100_000_000),
        HubQuery(smallest=1_000_000_000),
        HubQuery(pipeline="fill-mask"),
        HubQuery(pipeline="text-generation", sort="likes"),
        HubQuery(pipeline="text-generation", sort="last_modified", text="small"),
        HubQuery(language="de"),
        HubQuery(licence="mit"),
    )

    def names(found: dict[str, Any]) -> list[str]:
        return [model["name"] for model in found["models"]]

    assert names(everything) == [
        "toy/large", "toy/unknown", "toy/small", "toy/own-code", "other/small", "toy/bert"
    ], "most downloaded first, over three pages, none without safe weights"  # fmt: skip
    assert (everything["looked_at"], everything["left_out"], everything["more"]) == (6, 0, False)
    assert names(words) == ["toy/small", "other/small"]
    assert names(small) == ["toy/small", "toy/own-code", "other/small"]
    assert small["left_out"] == 1, "the hub does not know the size of one"
    assert names(large) == ["toy/large"]
    assert names(encoders) == ["toy/bert"]
    assert names(liked)[:2] == ["toy/small", "toy/large"]
    assert names(newest) == ["other/small", "toy/small"]
    assert names(german) == names(free) == []
    first = everything["models"][0]
    assert (first["parameters"], first["gated"], first["licence"], first["commit"], first["languages"]) == (
        7_000_000_000, True, "apache-2.0", COMMIT, ["en"]
    )  # fmt: skip
    assert "own program code" in everything["models"][3]["unusable"]
    assert not any("Authorization" in path or "hf_" in path for path in hub.asked) and hub.seen <= {""}


def test_without_a_connection_it_says_so_and_nobody_waits_long() -> None:
    (refused,) = search("http://127.0.0.1:9", HubQuery(), deadline=1.0)
    assert refused["error"]["title"] == "The hub could not be reached."
    begun = time.monotonic()
    with pytest.raises(UserError, match="did not answer within"):
        hub_search._in_time(lambda: time.sleep(5), 0.05)
    assert time.monotonic() - begun < 4, "the search goes on alone"


@pytest.mark.parametrize(
    ("said", "writes", "pairs", "usable"),
    [
        (listed("a/b", 10), True, False, True),
        (listed("a/b", 10, "fill-mask"), False, False, True),
        (listed("a/b", 10, "text2text-generation"), False, True, True),
        (listed("a/b", 10, tags=["awq"]), True, False, False),
        (listed("a/b", 10, library_name="peft"), True, False, False),
        (listed("a/b", 10, config={"quantization_config": {}}), True, False, False),
    ],
)
def test_what_a_model_can_do_follows_from_its_architecture(
    said: dict[str, Any], writes: bool, pairs: bool, usable: bool
) -> None:
    model = hub_search.model_of(ModelInfo(**said))
    assert (model.writes, model.pairs, not model.unusable) == (writes, pairs, usable)


def test_a_result_says_whether_it_fits_the_task_and_the_machine(storage: Path) -> None:
    migrated()
    project = projects.create("p", "text_to_text")
    decoder, t5 = (
        HubModel(name="a/b", parameters=10**8),
        HubModel(name="a/t5", parameters=10**7, writes=False, pairs=True),
    )
    assert "encoder-decoder" in hub_search.unfit_for(project, decoder)
    assert hub_search.unfit_for(project, t5) == ""
    small, huge = (
        hub_search.rough_fit(project, t5),
        hub_search.rough_fit(project, HubModel(name="a/c", parameters=10**13)),
    )
    assert small and small.verdict == "fits" and huge and huge.verdict == "does not fit"
    assert hub_search.rough_fit(project, HubModel(name="a/d")) is None
    shape = hub_search.guessed_shape(HubModel(name="a/e", parameters=7_000_000_000))
    assert 3500 < shape.hidden_size < 4500 and 30 < shape.layers < 48, "as Llama 7B: 4096 and 32"


def test_the_panel_asks_only_when_pressed_and_fetches_what_is_chosen(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated()
    project = projects.create("p", "classification")
    asked: list[HubQuery] = []
    found = HubFound(
        models=(
            HubModel(name="toy/_small_", commit=COMMIT, parameters=50_000_000, licence="apache-2.0", gated=True),
            HubModel(name="toy/code", parameters=1, unusable="It wants to run its own program code."),
        ),
        looked_at=7,
        left_out=1,
    )
    monkeypatch.setattr(hub_search, "search", lambda query: asked.append(query) or found)
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("core.services.fetching.submit", lambda *what: sent.append(what) or "job")
    monkeypatch.setattr("core.ui.screens.go", lambda *_, **__: None)

    def panel(project_id: str) -> None:
        from core.services import projects
        from core.ui.hub_search import hub_search_panel

        hub_search_panel(projects.get(project_id))

    app = AppTest.from_function(panel, args=(project.id,), default_timeout=30).run()
    assert not app.exception and asked == []
    app.text_input[0].set_value("small")
    app.button[0].click().run()
    assert not app.exception and asked == [HubQuery(text="small")]
    words = " ".join(element.value for element in app.caption)
    assert "2 models with safe weights shown, of 7 that the hub named; 1 did not have the size" in words
    assert "Apache 2.0" in words.replace("\\", "") and "own program code" in words
    fetch, refused = (b for b in app.button if b.label == "Fetch")
    assert refused.disabled
    fetch.click().run()
    assert sent == [(project.id, "toy/_small_", COMMIT, "")]
