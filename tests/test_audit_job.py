"""An audit of a really trained model: what is chosen runs, what it reads was announced, and its result is told in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny_training as tiny
from databases import migrated
from stored import small_project
from streamlit.testing.v1 import AppTest
from test_published_benchmarks import bbq_rows, crows_file, write_lines

from core.cli import audit as command
from core.data.probes import CONTROL
from core.data.remembering import Remembering
from core.schemas.audits import AuditResult
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison, Estimate, Verdict
from core.schemas.findings import Finding, Severity
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding, Generation, Score
from core.schemas.recorder import Interrupted
from core.services import audit_scope, audits, datasets, models, preparation, projects, runs
from core.services.audit_summary import Summary, needs_a_look, summary
from core.store.tables import Run


class Notes(tiny.Diary):
    """Remembers how far each phase said it was."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.reached: dict[str, tuple[float, float]] = {}

    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        super().phase(name, done, total)
        if total:
            self.reached[name] = (done, total)


def train(run: Run) -> Run:
    from core.training.train import train as really

    summary_of = really(runs.training_spec(run, None), tiny.Diary())
    runs.store_summary(run.id, summary_of.model_dump(mode="json"))
    return runs.get(run.id)


def started(project_id: str, **recipe: Any) -> Run:
    settings = tiny.FULL.model_copy(update={"epochs": 1, "evaluations_per_epoch": 1, **recipe})
    return train(runs.start(project_id, settings))


@pytest.fixture(scope="module")
def rounds(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """A classifier and a model that writes, each trained for one epoch, in a storage of their own."""
    storage = tmp_path_factory.mktemp("storage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(storage))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{storage / 'tunewell.db'}")
        migrated()
        texts = [f"{'She' if i % 2 else 'He'} asked for parcel {i} and was told to wait." for i in range(60)]
        made = projects.create("writing", "completion")
        frame = pd.DataFrame({"row_id": [f"r{i}" for i in range(60)], "text": texts})
        datasets.add_version(made.id, frame, roles={"text": "text"}, title="made up", origin={})
        projects.update(made.id, base_model_key=models.add_folder(str(small_model)).key)
        preparation.save(projects.get(made.id), PreparationPlan(max_length=96))
        yield {"classifier": started(small_project(small_model).id), "writer": started(made.id)}


@pytest.fixture
def classifier(rounds: dict[str, Run]) -> Run:
    return rounds["classifier"]


@pytest.fixture
def writer(rounds: dict[str, Run]) -> Run:
    return rounds["writer"]


def audited(
    run: Run, config: dict[str, Any], notes: Notes | None = None
) -> tuple[dict[str, AuditResult], dict[str, Any]]:
    from core.worker.handlers.audit_job import audit_run

    return audit_run(run, config, notes or Notes())  # type: ignore[arg-type]


QUICK = {"neutral_probes": {"templates": 30, "axes": ["gender"]}, "counterfactual_swap": {"axes": ["gender"]}}


def test_a_classifier_is_audited_as_announced(classifier: Run) -> None:
    announced = audit_scope.passes(classifier, QUICK)
    notes = Notes()
    done, refused = audited(classifier, QUICK, notes)
    assert list(done) == ["data_coverage", "group_results", "counterfactual_swap", "neutral_probes"] and not refused
    titles = {key: result.title for key, result in done.items()}
    for key, count in announced.items():
        if count:
            assert notes.reached[titles[key]] == (count, count)
    assert sum(announced.values()) > 60


def test_only_what_was_chosen_runs_and_a_cancelled_audit_stops(classifier: Run) -> None:
    config = QUICK | {"scope": {"audits": ["neutral_probes"]}}
    assert list(audited(classifier, config)[0]) == ["neutral_probes"]

    class Cancelling(Notes):
        def obey(self) -> None:
            if self.reached:
                raise Interrupted(self.wish())

    with pytest.raises(Interrupted):
        audited(classifier, config, Cancelling())


def test_an_audit_that_breaks_does_not_end_the_others(classifier: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.audits import registry

    def broken(*_: object) -> AuditResult:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(type(registry()["group_results"]), "run", broken)
    done, refused = audited(classifier, QUICK)
    assert list(done) == ["data_coverage", "counterfactual_swap", "neutral_probes"]
    assert "did not foresee" in refused["group_results"]["title"]
    assert "nobody foresaw this" in refused["group_results"]["cause"]
    with pytest.raises(ZeroDivisionError):  # where nothing is left, the job has failed
        audited(classifier, QUICK | {"scope": {"audits": ["group_results"]}})


def test_a_writer_is_audited_with_the_persons_files_and_scorer(writer: Run, tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    folder = models.get(writer.base_model_key).folder
    config = AutoConfig.from_pretrained(folder, num_labels=2, id2label={0: "fine", 1: "toxic"})
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path / "scorer")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "scorer")
    with write_lines(tmp_path / "Age.jsonl", bbq_rows(40)).open("rb") as stream:
        kept = audit_scope.keep_file(writer.project_id, "Age.jsonl", stream).model_dump()
    crows = crows_file(tmp_path / "crows.csv", 40)
    settings = {
        "written_answers": {"tokens": 8, "with_base": False},
        "pair_preference": {"templates": 30, "jobs": 2},
        "scope": {
            "audits": ["pair_preference", "written_answers"],
            "files": {"bbq": [kept], "crows_pairs": [{"name": "crows.csv", "path": str(crows)}]},
            "scorer": str(tmp_path / "scorer"),
        },
    }
    announced, notes = audit_scope.passes(writer, settings), Notes()
    done, refused = audited(writer, settings, notes)
    assert set(done) == set(announced) == {"pair_preference", "written_answers", "bbq", "crows_pairs"} and not refused
    for key, count in announced.items():
        assert notes.reached[done[key].title] == (count, count)
    assert done["bbq"].weakness and done["bbq"].comparisons
    assert any(row["kind"] == "the scorer's own gap" for row in done["written_answers"].rows)
    broken = settings | {
        "scope": settings["scope"] | {"audits": ["pair_preference"], "files": {}, "scorer": str(tmp_path)}
    }
    done, refused = audited(writer, broken)
    assert list(done) == ["pair_preference"] and "no text classifier" in refused["scorer"]["cause"]


def test_a_benchmark_file_that_is_gone_or_of_another_kind_is_said_before_the_start(writer: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    for path in (other, tmp_path / "gone.csv"):
        scope = {"audits": [], "files": {"crows_pairs": [{"name": path.name, "path": str(path)}]}}
        assert isinstance(audit_scope.passes(writer, {"scope": scope})["crows_pairs"], UserError)


def test_the_command_line_takes_a_benchmark_by_its_path(writer: Run, tmp_path: Path, capsys: Any) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    path = crows_file(tmp_path / "crows.csv", 30)
    options = parser.parse_args([writer.id, "--only", "pair_preference", "--benchmark", f"crows_pairs={path}"])
    config = command.config_of(options, "causal-lm")
    assert list(audit_scope.chosen("causal-lm", audit_scope.of(config))) == ["pair_preference", "crows_pairs"]
    for wrong in (["--benchmark", "nothing=x"], ["--benchmark", "bbq=/gone"], ["--only", "nothing"]):
        with pytest.raises(UserError):
            command.config_of(parser.parse_args([writer.id, *wrong]), "causal-lm")
    kept = audits.store(writer, config, {}, {}, "validation")
    assert command.main(parser.parse_args([writer.id, "--json"])) == 0
    assert kept.id in capsys.readouterr().out


def test_each_text_is_read_once_however_often_it_is_asked_for() -> None:
    class Counting:
        labels, thresholds, read = ("no", "yes"), (), 0

        def classify(self, texts: list[str]) -> list[list[float]]:
            self.read += len(texts)
            return [[0.5, 0.5] for _ in texts]

        def score(self, prompts: list[Any], answers: list[str]) -> list[Score]:
            self.read += len(answers)
            return [Score(nll=len(a), tokens=1, correct=0, n_bytes=1) for a in answers]

        def generate(self, prompts: list[Any], decoding: Decoding) -> list[Generation]:
            self.read += len(prompts)
            return [Generation(text="a", tokens=1, finished=True) for _ in prompts]

    model = Counting()
    quick = Remembering(model)  # type: ignore[arg-type]
    quick.classify(["a", "b", "a"])
    assert quick.classify(["b", "c"]) == [[0.5, 0.5]] * 2 and model.read == 3
    assert [s.nll for s in quick.score(["p", "p", "q"], ["xx", "xx", "xxx"])] == [2, 2, 3] and model.read == 5
    quick.generate(["p"] * 3, Decoding())
    quick.generate(["p"] * 3, Decoding())
    assert model.read == 11


# On the screen


def before_the_start(run_id: str) -> None:
    from core.services import runs
    from core.ui.audit_start import settings_panel

    settings_panel(runs.get(run_id))


def afterwards(audit_id: str) -> None:
    from core.store import records
    from core.store.tables import Audit
    from core.ui.audit import details_panel, found_panel

    kept = records.get(Audit, audit_id)
    found_panel(kept)
    details_panel(kept)


@pytest.mark.parametrize("kind", ["classifier", "writer"])
def test_the_number_of_texts_stands_before_the_start(rounds: dict[str, Run], kind: str) -> None:
    app = AppTest.from_function(before_the_start, kwargs={"run_id": rounds[kind].id}, default_timeout=60).run()
    assert not app.exception
    total = sum(audit_scope.passes(rounds[kind], {}).values())
    assert any(f"**{total:,} texts**" in element.value for element in app.markdown)
    assert [e.label for e in app.expander if "benchmarks" in e.label] == (
        ["Published benchmarks (you bring the file)"] if kind == "writer" else []
    )


def test_a_result_is_drawn_with_its_first_sentence_and_a_tab_for_each_audit(classifier: Run) -> None:
    done, refused = audited(classifier, QUICK)
    kept = audits.store(classifier, QUICK, done, refused)
    app = AppTest.from_function(afterwards, kwargs={"audit_id": kept.id}, default_timeout=60).run()
    assert not app.exception
    mark = ":material/warning: "
    loud = [tab.label for tab in app.tabs if tab.label.startswith(mark)]
    assert [tab.label for tab in app.tabs][: len(loud)] == loud, "what was found comes first"
    assert {tab.label.removeprefix(mark) for tab in app.tabs} == {found.title for found in done.values()}
    assert len(loud) == sum(needs_a_look(found) for found in done.values())
    assert any("no certificate" in element.value for element in app.caption)


# In plain words


def result(*findings: Finding, key: str = "neutral_probes") -> AuditResult:
    rows = ({"kind": "gap", "value": 0.1},) if findings else ()
    return AuditResult(
        audit=key, title="Sentences", headline="", n=40, seconds=0, findings=findings, rows=rows, not_tested=("x",)
    )


def finding(title: str, severity: Severity = Severity.WARNING, value: float = 0.2, **data: Any) -> Finding:
    return Finding(check="x", severity=severity, title=title, estimate=Estimate(value=value, n=40), data=data)


def test_the_first_sentence_names_what_was_found_and_the_strongest_finding_comes_first() -> None:
    told = summary(
        {
            "neutral_probes": result(
                finding("small one", axis="age", kind="shift", value=0.1),
                finding("large one", axis="gender", kind="shift", value=0.3),
                finding("also gender", axis="gender", kind="gap", value=0.9),
            )
        }
    )
    assert told.tone == "found" and told.title == "The model treats people differently by age and gender."
    assert told.found == ("large one.", "small one.") and any("corrective action" in line for line in told.to_do)
    assert "40" in told.basis and "1 things were not tested" in told.basis


def test_what_only_everyday_sentences_show_is_not_said_of_the_persons_own_texts() -> None:
    loud = finding("“bill” is 9 points more likely", axis="age", kind="shift").model_copy(
        update={"check": "neutral_probes"}
    )

    def told(kind: str) -> Summary:
        own = finding("own", Severity.INFO, kind=kind, axes=["age", "gender"])
        return summary({"counterfactual_swap": result(own, key="counterfactual_swap"), "neutral_probes": result(loud)})

    assert "in your own texts swapping them made no noticeable difference" in told("quiet").title
    assert "too few of them" in told("too few").title
    assert "Evaluation" in told("quiet").to_do[0] and "percentage points" in told("quiet").reading
    assert told("quiet").found[0].endswith("Seen in everyday sentences that differ only in who they are about.")
    both = summary({"counterfactual_swap": result(loud, key="counterfactual_swap"), "neutral_probes": result(loud)})
    assert both.title == "The model treats people differently by age."


def test_how_far_training_moved_a_difference_is_said_beside_the_base_model_and_words_that_name_nobody() -> None:
    def compared(base: float, tuned: float) -> Comparison:
        base_, tuned_, change = (Estimate(value=v, n=40) for v in (base, tuned, tuned - base))
        return Comparison(metric="Gender", base=base_, tuned=tuned_, change=change, p=0.01, verdict=Verdict.WORSE)

    found = result(finding("x", axis="gender", kind="gap")).model_copy(update={
        "unit": "probability", "comparisons": (compared(0.02, 0.12),),
        "rows": ({"kind": "gap", "model": "tuned", "axis": CONTROL, "value": 0.03},),
    })  # fmt: skip
    change = summary({"neutral_probes": found}).change
    assert "moves its answers by 12 points" in change and "the base model's by 2.0 points" in change
    assert "words that name nobody by 3.0 points" in change


def test_nothing_found_is_not_called_fair_and_nothing_measured_is_not_called_quiet() -> None:
    quiet = summary({"neutral_probes": result(finding("No difference", Severity.INFO, kind="quiet"))})
    assert quiet.tone == "quiet" and "fair" not in quiet.title
    few = summary({"counterfactual_swap": result(finding("Too few", Severity.INFO, kind="too few"))})
    assert few.tone == "few" and "not enough data" in few.title and "30 validation rows" in few.to_do[0]


def test_a_collapsed_model_and_a_one_sided_data_set_have_their_own_words() -> None:
    collapsed = summary({"neutral_probes": result(finding("always no", kind="collapse"), finding("x", axis="age"))})
    assert "cannot be said" in collapsed.title and "corrective" not in " ".join(collapsed.to_do)
    data = result(finding("tied", axis="gender"), key="data_coverage")
    told = summary({"data_coverage": data, "neutral_probes": result(finding("fine", Severity.INFO, kind="quiet"))})
    assert told.title == "The data ties labels to people's gender, but the model shows no noticeable difference."
