"""Which base model suits the data: tokens a word, the licence against the use, and a ranking with its reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from databases import migrated

from core.data import fertility, licences
from core.services import advice, datasets, models, projects
from core.services.models import STARTER_FOLDER

ENGLISH = ["The parcel has not arrived yet and nobody answers the telephone.", "Thank you for the quick help!"] * 20
CHINESE = ["我的包裹还没有到，电话也没有人接。", "谢谢你们的帮助！"] * 20


def test_the_starter_spends_few_tokens_on_english_words_and_many_on_chinese_ones() -> None:
    english = fertility.measure(STARTER_FOLDER, ENGLISH)
    chinese = fertility.measure(STARTER_FOLDER, CHINESE)
    assert english is not None and chinese is not None
    assert (english.unit, english.verdict) == ("word", "familiar")
    assert (chinese.unit, chinese.verdict) == ("character", "strange")
    assert english.unknown == chinese.unknown == 0, "a byte-level tokenizer can write everything"


def test_fertility_is_tokens_over_words() -> None:
    from tokenizers import Tokenizer

    found = fertility.measure(STARTER_FOLDER, ["parcel parcel parcel parcel"])
    tokens = len(Tokenizer.from_file(str(STARTER_FOLDER / "tokenizer.json")).encode("parcel parcel parcel parcel").ids)
    assert found is not None
    assert found.per_word == tokens / 4
    assert fertility.measure(STARTER_FOLDER, ["", "  !!"]) is None


@pytest.mark.parametrize(
    ("name", "commercial"),
    [("apache-2.0", True), ("MIT", True), ("cc-by-nc-4.0", False), ("llama3.1", None), ("", None), ("my-own", None)],
)
def test_a_licence_says_whether_money_may_be_earned(name: str, commercial: bool | None) -> None:
    assert licences.explain(name).commercial is commercial
    assert licences.explain(name).words


@pytest.fixture
def with_data(storage: Path) -> str:
    migrated()
    project = projects.create("Messages")
    projects.update(project.id, task="classification")
    frame = pd.DataFrame({"row_id": [str(i) for i in range(40)], "t": ENGLISH, "y": ["a", "b"] * 20})
    datasets.add_version(project.id, frame, roles={"text": "t", "label": "y"}, title="t", origin={"kind": "import"})
    return project.id


def copy_of_starter(folder: Path, licence: str) -> Path:
    shutil.copytree(STARTER_FOLDER, folder)
    card = folder / "README.md"
    card.write_text(f"---\nlicense: {licence}\nlanguage: [en]\n---\nA copy.\n", encoding="utf-8")
    return folder


def test_a_licence_that_forbids_the_use_costs_the_recommendation(with_data: str, tmp_path: Path) -> None:
    models.add_folder(str(copy_of_starter(tmp_path / "free", "apache-2.0")))
    models.add_folder(str(copy_of_starter(tmp_path / "forbidding", "cc-by-nc-4.0")))
    projects.settings(with_data, use="commercial")
    found = advice.for_project(projects.get(with_data))
    by_name = {Path(a.facts.folder).name: a for a in found}
    assert "earn money" in by_name["forbidding"].warnings[0]
    assert by_name["forbidding"].rank == 3
    assert [a.rank for a in found] == [1, 2, 3]
    assert [a.recommended for a in found] == [True, False, False]
    assert "tokens for a word of yours" in found[0].reason

    projects.settings(with_data, use="private")
    found = advice.for_project(projects.get(with_data))
    assert not any(a.warnings for a in found)


def test_a_damaged_tokenizer_costs_its_figure_and_not_the_page(with_data: str, tmp_path: Path) -> None:
    folder = copy_of_starter(tmp_path / "damaged", "mit")
    models.add_folder(str(folder))
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    damaged = next(a for a in advice.for_project(projects.get(with_data)) if "damaged" in a.facts.folder)
    assert damaged.fertility is None
