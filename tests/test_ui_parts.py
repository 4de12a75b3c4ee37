"""What the parts of a screen say, and that text from outside can never become markup."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from streamlit import get_option
from streamlit.testing.v1 import AppTest

from core.schemas.estimates import Estimate, Verdict
from core.schemas.findings import Finding, Severity
from core.ui.figures import number, percent, points, verdict_html
from core.ui.findings import in_order
from core.ui.tokens import TokenPiece, token_html

SHARE = Estimate(value=0.91, low=0.882, high=0.934, n=300)


def run(script: Any, **kwargs: Any) -> AppTest:
    return AppTest.from_function(script, kwargs=kwargs, default_timeout=30).run()


def shown(app: AppTest) -> str:
    return " ".join(block.value for block in app.get("html"))


def test_a_share_is_written_with_interval_and_n() -> None:
    assert percent(SHARE) == "91.0% (88.2 to 93.4, n = 300)"


def test_a_figure_without_interval_still_says_n() -> None:
    assert percent(Estimate(value=0.5, n=4)) == "50.0% (n = 4)"


def test_values_and_differences_are_written_in_their_unit() -> None:
    assert number(Estimate(value=1234.5, low=1200, high=1300, n=5000), 1) == "1,234.5 (1,200.0 to 1,300.0, n = 5,000)"
    assert points(Estimate(value=0.042, low=-0.011, high=0.073, n=300)) == "+4.2 points (-1.1 to +7.3, n = 300)"


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_word_an_icon_and_a_meaning(verdict: Verdict) -> None:
    badge = verdict_html(verdict)
    assert verdict.value in badge.lower()
    assert "tw-icon" in badge and "title=" in badge


def test_findings_come_in_order_of_severity() -> None:
    severities = (Severity.GOOD, Severity.ERROR, Severity.INFO, Severity.WARNING)
    findings = [Finding(check=s.value, severity=s, title=s.value) for s in severities]
    assert [f.check for f in in_order(findings)] == ["error", "warning", "info", "good"]


def test_a_finding_shows_title_meaning_fix_count_and_estimate_with_text_escaped() -> None:
    def script() -> None:
        from core.schemas.estimates import Estimate
        from core.schemas.findings import Finding, Severity
        from core.ui.findings import finding_card

        finding = Finding(
            check="c",
            severity=Severity.WARNING,
            title="The label <b>x</b> is rare.",
            meaning="It is learned badly.",
            fix="Add rows.",
            count=1,
            estimate=Estimate(value=0.01, low=0.0, high=0.02, n=100),
        )
        finding_card(finding).button("Show the rows")

    app = run(script)
    html = shown(app)
    for part in ("&lt;b&gt;x", "It is learned badly.", "Add rows.", "Warning, 1 row<", "1.0% (0.0 to 2.0, n = 100)"):
        assert part in html
    assert "<b>x" not in html
    assert app.button[0].label == "Show the rows"


def test_an_error_shows_title_cause_and_fix_and_offers_the_repair_it_names() -> None:
    def script() -> None:
        import streamlit as st

        from core.schemas.errors import UserError
        from core.ui.errors import show_error

        error = UserError("No memory <i>left</i>.", "The batch is too large.", "Halve it.", action="smaller_batch")
        show_error(error, {"smaller_batch": ("Halve the batch", lambda: st.session_state.update(halved=True))})

    app = run(script)
    for part in ("No memory &lt;i&gt;left", "The batch is too large.", "Halve it."):
        assert part in shown(app)
    assert app.button[0].click().run().session_state["halved"]


def test_a_guarded_part_fails_alone_and_the_traceback_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def script() -> None:
        import streamlit as st

        from core.ui.errors import guard

        with guard():
            raise ZeroDivisionError("secret of the machine room")
        st.write("the rest of the screen")

    with caplog.at_level(logging.ERROR, logger="core.ui.errors"):
        app = run(script)
    assert not app.exception
    assert "secret" not in shown(app)
    assert app.markdown[0].value == "the rest of the screen"
    record = caplog.records[-1]
    assert record.exc_info and "secret of the machine room" in str(record.exc_info[1])
    assert record.args and str(record.args[0]) in shown(app), "the reference on the screen finds the entry in the log"


def test_guard_lets_streamlits_own_stop_through() -> None:
    def script() -> None:
        import streamlit as st

        from core.ui.errors import guard

        with guard():
            st.stop()
        st.write("not reached")

    app = run(script)
    assert not app.markdown and "went wrong" not in shown(app)


def test_the_page_header_names_the_step_and_its_purpose() -> None:
    def script() -> None:
        from core.ui.page import page_header

        page_header(3, "Tokenization", "See what the model sees.")

    app = run(script)
    assert app.title[0].value == "Tokenization"
    assert "Step 3 of 9" in shown(app) and "See what the model sees." in shown(app)


def test_the_stylesheet_takes_both_palettes_from_the_configuration() -> None:
    def script() -> None:
        from core.ui import style

        style.apply()

    sheet = shown(run(script))
    for side in ("light", "dark"):
        assert get_option(f"theme.{side}.redColor") in sheet
    assert ".tw-token-trained" in sheet and "currentcolor," not in sheet.split("}")[0]


def test_a_dangerous_act_happens_only_after_the_second_button() -> None:
    def script() -> None:
        import streamlit as st

        from core.ui.dialogs import confirm

        if st.button("Delete", key="delete"):
            confirm("Delete it?", "It is gone then.", "Delete run", lambda: st.session_state.update(deleted=True))

    app = run(script)
    app.button(key="delete").click().run()
    assert "deleted" not in app.session_state
    assert app.button(key="confirm.yes").label == "Delete run"
    # The second button is pressed in a real browser (tests/browser/test_kit.py): AppTest does not rerun fragments.


def test_tokens_are_escaped_and_carry_their_id_and_role() -> None:
    html = token_html([TokenPiece(" <script>", 7, "trained"), TokenPiece("a\n", 8, "context")])
    assert "<script>" not in html and "·</i>&lt;script&gt;" in html
    assert 'title="id 7, trained on"' in html and 'title="id 8, context"' in html
    assert "↵" in html


def test_the_token_legend_says_in_words_what_each_mark_means_and_counts_it() -> None:
    html = token_html([TokenPiece("a", 1, "trained")] * 3 + [TokenPiece("b", 2, "cut")])
    assert "3 · the model learns to write these" in html
    assert "1 · beyond the maximum length" in html
    assert "filler" not in html, "a mark that does not occur needs no explanation"


def test_long_padding_is_one_piece_and_very_long_examples_are_shortened_aloud() -> None:
    html = token_html([TokenPiece("<pad>", 0, "padding")] * 1000)
    assert "× 1,000" in html and html.count("tw-token-padding") == 2
    assert "and 900 more tokens" in token_html([TokenPiece("a", 1, "trained")] * 1000, limit=100)
