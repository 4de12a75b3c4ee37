"""The model card: metadata that the hub's own client reads back and its validation gets, figures with n, nothing made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import stored_rounds as made
from audited_rounds import audited
from huggingface_hub import ModelCard
from stand_in_upload_hub import UploadHub

from core.data.licences import KNOWN
from core.schemas.responsible import ResponsibleUse
from core.services import card_header, cards, dataset_cards, evaluations, projects, responsible
from core.store import records
from core.store.tables import BaseModel, DatasetVersion, Project, Run


def change_base(project: Project, **facts: str) -> None:
    row = records.get(BaseModel, str(project.base_model_key))
    assert row is not None
    records.change(BaseModel, row.id, {"facts": {**row.facts, **facts}})


def measured(project: Project) -> Run:
    run = made.trained(project)
    made.measured(run, 0.85, "test", baselines=True)
    return run


def test_the_client_of_the_hub_reads_back_every_test_figure_with_its_n_and_interval(small_project: Project) -> None:
    run = measured(small_project)
    card = ModelCard(cards.of_run(run))
    [stored] = evaluations.of_run(run.id, "test")
    found = evaluations.result(stored)
    version = records.get(DatasetVersion, run.dataset_version_id)
    assert version is not None
    results = card.data.eval_results
    assert results is not None and len(results) == len(found.metrics) > 2
    for result, row in zip(results, found.metrics, strict=True):
        tuned = row.values["tuned"]
        assert result.metric_value == tuned.value and result.metric_args["n"] == tuned.n
        assert result.metric_args.get("low") == tuned.low
        assert result.dataset_name == f"{small_project.name}, version {version.number}, test rows"
        assert result.dataset_args == {"content_sha256": version.content, "rows": found.n}
    assert card.data.pipeline_tag == "text-classification" and card.data.library_name == "transformers"
    again = card_header.eval_results(small_project, run, version, found)
    assert results == again


def test_what_is_not_known_is_left_out_of_the_metadata_or_said_to_be_unknown(small_project: Project) -> None:
    data = ModelCard(cards.of_run(made.trained(small_project))).data.to_dict()
    assert data["license"] == "unknown" and not {"base_model", "datasets", "model-index"} & data.keys()


@pytest.mark.parametrize(
    ("base", "stated", "expected"),
    [
        ("apache-2.0", "cc-by-4.0", "apache-2.0"),
        ("apache-2.0", "unknown", "other"),
        ("apache-2.0", "cc-by-nc-4.0", "other"),
        ("apache-2.0", "cc-by-sa-4.0", "other"),
        ("somebody's own", "mit", "other"),
    ],
)
def test_the_base_models_licence_is_only_claimed_where_the_data_adds_nothing_to_it(
    small_project: Project, base: str, stated: str, expected: str
) -> None:
    change_base(small_project, licence=base)
    dataset_cards.keep_notes(small_project, dataset_cards.CardNotes(licence=stated))
    data = ModelCard(cards.of_run(made.trained(projects.get(small_project.id)))).data
    assert data.license == expected
    assert (data.license_link == "LICENCE-NOTES.md") == (expected == "other")


def test_a_base_model_and_data_of_the_hub_are_named_as_the_hub_knows_them(small_project: Project) -> None:
    key = "hub:toy/model@c0ffee000000"
    row = records.get(BaseModel, str(small_project.base_model_key))
    assert row is not None
    records.add(BaseModel(id=key, facts={**row.facts, "key": key, "source": "hub", "revision": "c0ffee" + "0" * 34}))
    run = measured(small_project)
    records.change(Run, run.id, {"base_model_key": key})
    path = "/x/data/hub/toy--data--c0ffee000000/train.csv"
    records.change(DatasetVersion, run.dataset_version_id, {"origin": {"kind": "import", "files": [{"path": path}]}})
    run = records.get(Run, run.id) or run
    data = ModelCard(cards.of_run(run, "adapter")).data
    assert data.base_model == "toy/model" and data.base_model_relation == "adapter" and data.library_name == "peft"
    assert data.datasets == ["toy/data"] and data.eval_results
    assert {r.dataset_type for r in data.eval_results} == {"toy/data"}
    assert {r.dataset_revision for r in data.eval_results} == {"c0ffee000000"}


def test_texts_from_outside_cannot_break_out_of_the_metadata_or_the_tables(small_project: Project) -> None:
    projects.update(
        small_project.id,
        name="Shop\n---\nlicense: mit | <script>alert(1)</script>",
        goal="Sort\n\n# Heading <img src=x>",
    )
    responsible.keep(projects.get(small_project.id), ResponsibleUse(purpose="a\n---\nb", misuse="<b>no</b>"))
    text = cards.of_run(measured(projects.get(small_project.id)))
    card = ModelCard(text)
    assert card.data.license == "unknown"
    assert (
        "<script>" not in card.text
        and "<img" not in card.text
        and "\n# Heading" not in card.text
        and "<b>" not in card.text
    )


def test_the_card_says_what_was_not_done_and_what_an_audit_found(small_project: Project) -> None:
    run = made.trained(small_project)
    bare = cards.of_run(run)
    for said in ("Not evaluated on a test set", "Not audited", "Energy was not measured", "has not stated a purpose"):
        assert said in bare
    made.measured(run, 0.85, "test", baselines=True)
    audited(run, 0.25)
    text = cards.of_run(run)
    assert "This is no certificate" in text and "Not evaluated on a test set" not in text
    assert "What it writes about names of people." in text and "| this model | base model" in text
    assert "1 min 23 s" not in text and "83 seconds" in text


def test_a_base_model_that_is_gone_does_not_take_the_card_with_it(small_project: Project) -> None:
    run = made.trained(small_project)
    records.change(Run, run.id, {"base_model_key": "folder:/home/somebody/models/old"})
    text = cards.of_run(records.get(Run, run.id) or run)
    assert "**old**" in text and "somebody" not in text


def test_the_licence_names_are_those_that_the_hub_takes() -> None:
    assert all(name == name.lower() and " " not in name for name in KNOWN)


def test_the_validation_of_the_hub_gets_the_card_and_its_no_is_passed_on(
    small_project: Project, tmp_path: Path
) -> None:
    """The real `validate` posts to the hub: a stand-in checks what it asks for, in a process that knows only this hub."""
    hub = UploadHub()
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(cards.of_run(measured(small_project)), encoding="utf-8")
    bad.write_text("---\ntags: tunewell\nlicense: [1]\n---\n# a card\n", encoding="utf-8")
    code = (
        "import json, sys\nfrom huggingface_hub import ModelCard\nout = []\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        ModelCard.load(path).validate(); out.append('')\n"
        "    except ValueError as error:\n        out.append(str(error))\n"
        "print(json.dumps(out))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(good), str(bad)],
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    hub.http.shutdown()
    assert done.returncode == 0, done.stderr[-2000:]
    accepted, refused = json.loads(done.stdout)
    assert accepted == "" and "license" in refused and hub.validated == 2
