"""The judge's panel: nothing is sent before a person agreed, and its agreement with people stands before its verdict."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from test_judging import FEW, ROWS, carried_out, evaluated, judge, run, voted  # noqa: F401 (two are fixtures)

from core.services import judging
from core.store.tables import Run

from stand_in_judge import KEY, Judge  # isort: skip


def draw(run_id: str, evaluation_id: str) -> None:
    from core.services import evaluations, runs
    from core.store import records
    from core.store.tables import Evaluation
    from core.ui.judge import judge_panel

    kept = records.get(Evaluation, evaluation_id)
    assert kept is not None
    judge_panel(runs.get(run_id), kept, evaluations.result(kept))


def text_of(app: AppTest) -> str:
    return " ".join([*(shown.proto.body for shown in app.get("html")), *(m.value for m in app.markdown)])


@pytest.mark.usefixtures("storage")
def test_a_person_agrees_sends_and_reads_how_far_to_trust_the_judge(run: Run, judge: Judge) -> None:  # noqa: F811
    kept = evaluated(run, ROWS)
    voted(run, "t" * 10 + "b" * 4)
    app = AppTest.from_function(draw, args=(run.id, kept.id), default_timeout=60).run()
    address = next(field for field in app.text_input if field.value.startswith("http://127.0.0.1"))
    address.set_value(judge.url).run()
    next(field for field in app.text_input if field.label == "Key").set_value(KEY).run()
    assert "Texts leave Tunewell" in app.warning[0].value and "each with a prompt, both answers" in app.warning[0].value
    button = next(b for b in app.button if b.label == "Judge")
    assert button.disabled and not judging.active(run.project_id), "nothing is sent before a person agreed"
    app.checkbox[0].check().run()
    next(b for b in app.button if b.label == "Judge").click().run()
    assert not app.exception and judging.active(run.project_id) is not None
    carried_out()
    app.run()
    assert not app.exception
    told = text_of(app)
    agreement, verdict = told.index("Agrees with your votes"), told.index("prefers")
    assert agreement < verdict
    assert KEY not in told
