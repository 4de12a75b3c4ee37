"""Real public files and deliberately awkward ones: each is read as its description says, or refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.importers import inspect, read
from core.schemas.errors import UserError
from core.schemas.findings import Severity

pytestmark = pytest.mark.shared_data

# Refused later, when labels and texts are known: reading them is in order.
REFUSED_BY_THE_HEALTH_REPORT = {"lab_one_class.csv", "row_identical_texts.csv"}
# Warned of later, for what the rows say rather than how the file is written.
WARNED_OF_BY_THE_HEALTH_REPORT = {
    "lab_mixed_spellings.csv", "lab_numeric_with_gap.csv", "lab_singletons.csv", "lab_is_long_text.csv",
    "row_duplicates.csv", "row_long_100k.csv", "row_pii.csv", "leak_test.csv", "leak_label_in_text.csv",
    "bias_planted.csv", "json_varying_keys.jsonl", "json_columns.json",
}  # fmt: skip
REFUSALS = {
    "col_header_only.csv": "no rows",
    "json_scalar.json": "not a table",
    "kind_png_named.csv": "PNG image",
    "kind_pdf_named.txt": "PDF document",
    "kind_lfs_pointer.csv": "not downloaded",
    "kind_blank_lines.csv": "empty",
    "kind_pickle_named.csv": "pickle",
    "zip_bomb.zip": "zip bomb",
    "zip_bomb_nested.zip": "other archives",
    "gz_bomb.csv.gz": "zip bomb",
    "tar_escape_device.tar": "tar archive",
    "parquet_truncated.parquet": "damaged",
}


@pytest.fixture
def nasty(shared_data: Path) -> Path:
    return shared_data / "nasty"


def test_every_awkward_file_meets_its_verdict(nasty: Path) -> None:
    manifest: list[dict[str, Any]] = json.loads((nasty / "manifest.json").read_text(encoding="utf-8"))
    wrong = []
    for entry in manifest:
        name = entry["file"]
        try:
            table, report = read(nasty / name, name)
        except UserError as error:
            if REFUSALS.get(name, "nothing") not in error.title or not error.cause or not error.fix:
                wrong.append(f"{name}: refused with {error}")
            continue
        if entry["verdict"] == "reject" and name not in REFUSED_BY_THE_HEALTH_REPORT:
            wrong.append(f"{name}: was read, but must be refused")
        if table.num_rows != entry.get("rows"):
            wrong.append(f"{name}: {table.num_rows} rows instead of {entry.get('rows')}")
        columns = entry.get("columns")
        if columns not in (None, table.column_names, table.num_columns):
            wrong.append(f"{name}: columns {table.column_names[:10]}")
        warned = any(note.severity is Severity.WARNING for note in report.notes)
        if entry["verdict"] == "warn" and not warned and name not in WARNED_OF_BY_THE_HEALTH_REPORT:
            wrong.append(f"{name}: no warning")
        if entry["verdict"] == "accept" and warned and name != "parquet_types.parquet":
            wrong.append(f"{name}: warned of {[note.title for note in report.notes]}")
    assert len(manifest) == 64
    assert not wrong, "\n".join(wrong)


def test_the_sentences_of_the_manifest_hold(nasty: Path) -> None:
    def texts(name: str, column: str = "text") -> list[str]:
        return read(nasty / name, name)[0].column(column).to_pylist()

    def columns(name: str) -> dict[str, Any]:
        return {column.name: column for column in read(nasty / name, name)[1].columns}

    assert "“Smart quotes” and an em—dash" in texts("enc_cp1252.csv")
    assert "“Smart quotes” and an em—dash" in texts("enc_utf16be_nobom.csv")
    assert texts("enc_gb18030.csv")[0] == "很快，好吃，味道足"
    assert columns("lab_mixed_spellings.csv")["label"].n_distinct == 12
    assert columns("lab_numeric_with_gap.csv")["label"].n_missing == 6
    assert set(columns("lab_numeric_with_gap.csv")["label"].examples) == {"1", "2"}
    assert columns("json_varying_keys.jsonl")["text"].n_missing == 3
    assert columns("parquet_types.parquet")["label"].n_missing == 7
    assert inspect(nasty / "lab_is_long_text.csv", "x.csv").task == "chat"
    assert texts("xlsx_formulas_dates.xlsx", "code")[7] == "0007"
    assert texts("xlsx_formulas_dates.xlsx", "calc")[0] == "59"
    assert "e\u0301 vs é" in texts("row_emoji_combining.csv")
    assert texts("row_html_script.csv")[0] == "<script>alert(1)</script>"
    assert not any(c in text for text in texts("row_nul_and_control.csv") for c in "\0\a\x1b")
    zipped = inspect(nasty / "zip_three_files.zip", "x.zip")
    assert [member.name for member in zipped.members] == ["train.csv", "test.csv"]


@pytest.mark.parametrize(
    ("path", "rows", "task", "roles"),
    [
        ("bitext_support_intents/train.csv", 6480, "classification", {"text": "utterance", "label": "intent"}),
        ("sst2/train.tsv", 6920, "classification", {"text": "column 1", "label": "column 2"}),
        ("sms_spam_tsv/sms.tsv", 5574, "classification", {"text": "column 2", "label": "column 1"}),
        ("waimai_10k/waimai_10k.csv", 11987, "classification", {"text": "review", "label": "label"}),
        ("trec_qc/qc.zip", 5452, "classification", {"text": "text", "label": "label"}),
        ("davidson_hate/labeled_data.csv", 24783, "classification", {"text": "tweet", "label": "class"}),
        ("multidogo_support/airline/test.tsv", 3931, "classification", {"text": "utterance", "label": "intent"}),
        ("banking77/train.csv", 10003, "classification", {"text": "text", "label": "category"}),
        (
            "alpaca_en_demo/alpaca_en_demo.json",
            999,
            "chat",
            {"prompt": "instruction", "context": "input", "response": "output"},
        ),
        ("sharegpt_fastchat/dummy_conversation.json", 500, "chat", {"messages": "conversations"}),
        ("gsm8k/test.jsonl", 1319, "chat", {"prompt": "question", "response": "answer"}),
        (
            "medication_qa_xlsx/MedInfo2019-QA-Medications.xlsx",
            690,
            "chat",
            {"prompt": "Question", "response": "Answer"},
        ),
        (
            "dpo_en_demo/dpo_en_demo.json",
            300,
            "preference",
            {"chosen": "chosen", "rejected": "rejected", "prompt": "conversations"},
        ),
        ("tinyshakespeare/input.txt", 7222, "completion", {"text": "text"}),
        ("lf_completion_demo/wiki_demo.txt", 30, "completion", {"text": "text"}),
        ("lf_completion_demo/c4_demo.jsonl", 300, "completion", {"text": "text"}),
        ("mt_bench_prompts/question.jsonl", 80, None, {}),
        ("alpaca_seed_tasks/seed_tasks.jsonl", 175, None, {}),
    ],
)
def test_a_real_file_is_understood_without_help(
    shared_data: Path, path: str, rows: int, task: str | None, roles: dict[str, str]
) -> None:
    table, report = read(shared_data / path, Path(path).name)
    assert table.num_rows == report.rows == rows and report.complete
    assert report.task == task
    assert report.roles.get(task or "", {}) == roles
