"""Every part of the UI kit on one screen, for looking at it in light and dark."""

import math
from typing import Annotated, Literal

import streamlit as st
from pydantic import Field

from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate, Verdict
from core.schemas.findings import Finding, Severity
from core.ui import parts, style
from core.ui.parts import Marker, Step, TokenPiece, Trace

st.set_page_config(
    page_title="Kit", page_icon=str(style.ICON), layout="wide", menu_items={"About": "The parts of the dashboard."}
)


class Recipe(Schema):
    method: Literal["lora", "full"] = Field(
        "lora",
        title="Method",
        description=parts.term("LoRA"),
        json_schema_extra={"options": {"lora": "LoRA adapter", "full": "All weights"}},
    )
    learning_rate: float = Field(
        2e-4,
        gt=0,
        le=0.1,
        title="Learning rate",
        description=parts.term("learning rate"),
        json_schema_extra={"suggestions": [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4]},
    )
    batch_size: Annotated[int, Field(ge=1, le=64)] = Field(
        8, title="Batch size", description=parts.term("batch size"), json_schema_extra={"unit": "examples"}
    )
    epochs: float = Field(3.0, gt=0, le=50, title="Epochs", description=parts.term("epoch"))
    early_stopping: bool = Field(True, title="Stop early", description=parts.term("early stopping"))
    weight_decay: float = Field(
        0.01, ge=0, lt=1, title="Weight decay", description=parts.term("weight decay"),
        json_schema_extra={"level": "advanced"},
    )  # fmt: skip
    scheduler: Literal["linear", "cosine", "constant", "polynomial", "inverse_sqrt"] = Field(
        "cosine", title="Scheduler", description=parts.term("scheduler"), json_schema_extra={"level": "advanced"}
    )
    rank: int = Field(
        16, ge=1, le=256, title="Rank", description=parts.term("rank"),
        json_schema_extra={"level": "advanced", "suggestions": [4, 8, 16, 32, 64], "when": {"method": ["lora"]}},
    )  # fmt: skip
    max_length: int | None = Field(
        None, ge=16, le=4096, title="Maximum length", description=parts.term("maximum length"),
        json_schema_extra={"level": "advanced", "unit": "tokens", "empty": "Automatic"},
    )  # fmt: skip
    targets: tuple[str, ...] = Field(
        ("q_proj", "v_proj"), min_length=1, title="Target modules", description=parts.term("target modules"),
        json_schema_extra={"level": "advanced", "suggestions": ["q_proj", "k_proj", "v_proj", "o_proj"]},
    )  # fmt: skip


def preset(rate: float, epochs: float) -> None:
    parts.fill(Recipe, {"learning_rate": rate, "epochs": epochs}, "recipe")


def training_screen() -> None:
    parts.page_header(5, "Training", "Watch the model learn, and stop, pause or go on whenever you like.")
    tiles = st.columns(3)
    with tiles[0]:
        parts.tile("Accuracy on the test set", Estimate(value=0.91, low=0.882, high=0.934, n=300, method="Wilson"))
    with tiles[1]:
        parts.tile("Perplexity", Estimate(value=12.41, low=11.9, high=13.02, n=300, method="bootstrap"), share=False)
    with tiles[2]:
        parts.tile("Chosen by reviewers", Estimate(value=0.6, n=5))
    with st.container(horizontal=True, gap="small"):
        for verdict in Verdict:
            parts.verdict_badge(verdict)
    st.markdown(f"Tuned {parts.percent(Estimate(value=0.91, low=0.882, high=0.934, n=300))}, base "
                f"{parts.percent(Estimate(value=0.71, low=0.656, high=0.758, n=300))}")  # fmt: skip
    x = list(range(10, 900, 5))
    raw = [2.4 / (1 + 0.01 * s) + 0.25 * math.sin(s * 1.7) / (1 + s / 300) for s in x]
    evals = list(range(50, 900, 50))
    left, right = st.columns(2)
    with left:
        st.subheader("Loss", anchor=False)
        parts.live_chart(
            "demo.loss",
            [
                Trace("Training", x, raw, "train", faint=True),
                Trace("Training", x, parts.smooth(raw, 0.9), "train"),
                Trace(
                    "Validation", evals, [2.5 / (1 + 0.009 * s) for s in evals], "validation",
                    low=[2.4 / (1 + 0.009 * s) - 0.06 for s in evals],
                    high=[2.6 / (1 + 0.009 * s) + 0.06 for s in evals],
                ),
            ],
            "Step", "Loss", events=[Marker(450, "Best checkpoint", "accent")],
        )  # fmt: skip
    with right:
        st.subheader("Learning rate", anchor=False)
        runs = [(str(i), [1e-3 / (i + 1) / (1 + s / 200) for s in x]) for i in range(4)]
        traces = [Trace(f"Run {name}", x, y, name, dashed=name == "3") for name, y in runs]
        parts.live_chart("demo.rate", traces, "Step", "Learning rate", log_y=True)
    parts.live_chart("demo.empty", [], "Step", "Accuracy", height=90, empty_reason="First measured at step 200.")

    st.subheader("Settings", anchor=False)
    with st.container(horizontal=True):
        st.button("Quick", on_click=preset, args=(5e-4, 1.0))
        st.button("Balanced", on_click=preset, args=(2e-4, 3.0))
        st.button("Thorough", on_click=preset, args=(1e-4, 8.0))
    basic = parts.form(Recipe, {}, "basic", "recipe")
    with st.expander("Advanced settings", expanded=True):
        result = parts.form(Recipe, {**basic.values, "weight_decay": 0.01}, "advanced", "recipe")
    with st.container(horizontal=True):
        st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=result.model is None)
        if st.session_state.pop("deleted", False):
            st.caption("The run was deleted.")
        if st.button("Delete this run"):
            parts.confirm(
                "Delete this run?",
                "Its curves and checkpoints are deleted.",
                "Delete run",
                lambda: st.session_state.update(deleted=True),
            )

    with st.popover("What was checked"):
        parts.show_error(UserError("Not everything.", "Two checks", "Wait."))

    st.subheader("Findings", anchor=False)
    findings = [
        Finding(check="ok", severity=Severity.GOOD, title="Every row has a text and a label."),
        Finding(
            check="language", severity=Severity.INFO, title="Most texts are English; 4% are German.",
            meaning="The starter model knows English only.", count=60,
        ),
        Finding(
            check="balance", severity=Severity.WARNING, title="The label <b>“refund”</b> is rare.",
            meaning="The model will see it too seldom to recognise it well.",
            fix="Add about 40 more examples of it, or merge it with another label.", count=12,
            estimate=Estimate(value=0.008, low=0.005, high=0.014, n=1500, method="Wilson"),
        ),
        Finding(
            check="duplicates", severity=Severity.ERROR, title="17 test rows also stand in the training data.",
            meaning="The test result would look better than real use.", fix="Remove them from the training data.",
            count=17,
        ),
    ]  # fmt: skip
    for finding in parts.in_order(findings):
        card = parts.finding_card(finding)
        if finding.fix:
            card.button("Show the rows", key=f"rows.{finding.check}")

    st.subheader("Tokens", anchor=False)
    pieces = [TokenPiece(text, 7, "context") for text in "<|user|>, Where, is, my, parcel,?\n,<|assistant|>".split(",")]
    pieces += [
        TokenPiece(text, 8, "trained") for text in " It, left, our, ware,house, to,day, &, <script>,.".split(",")
    ]
    pieces += [TokenPiece(text, 9, "cut") for text in " And, it, will".split(",")]
    parts.token_strip([*pieces, *[TokenPiece("<pad>", 0, "padding")] * 12])

    st.subheader("Review", anchor=False)
    parts.key_legend({"1": "Left is better", "2": "Right is better", "3": "Tie", "E": "Correct the text", "Z": "Undo"})

    st.markdown(parts.plain("Column :material/delete: a -> b, $x$, www.example.com, a@b.c, <b>"))

    st.subheader("Errors", anchor=False)
    parts.show_error(
        UserError(
            "The file could not be read as a table.",
            "Line 14 of my_*file*.csv has 5 columns, the header has 4.",
            "Open it in a spreadsheet program, check line 14, and upload it again.",
            action="separator",
        ),
        {"separator": ("Read it with semicolons", lambda: None)},
    )
    with parts.guard():
        raise ZeroDivisionError("a secret of the machine room")


def dataset_screen() -> None:
    parts.page_header(1, "Dataset", "Give the model the examples that it should learn from.")
    parts.needs("This step needs a project.", PAGES[0], "Go to Projects")


def projects_screen() -> None:
    parts.page_header(None, "Projects", "Everything that you have tuned, and a place to start something new.")


TITLES = ["Projects", "Dataset", "Base model", "Tokenization", "Hyperparameters", "Training", "Evaluation", "Samples",
          "Bias audit", "Use it"]  # fmt: skip


def other_screen() -> None:
    parts.page_header(2, "Another screen", "Only here so that the rail has somewhere to go.")


PAGES = [st.Page(projects_screen, title="Projects", url_path="projects")]
PAGES += [
    st.Page(
        {1: dataset_screen, 5: training_screen}.get(i, other_screen),
        title=title,
        url_path=title.lower().replace(" ", "-"),
        default=i == 5,
    )
    for i, title in enumerate(TITLES)
    if i
]
style.apply()
page = st.navigation(PAGES, position="hidden")
with st.sidebar:
    states = ["done", "done", "done", "done", "done", "current", "open", "blocked", "blocked", "blocked"]
    parts.journey_rail(
        [Step(i, t, PAGES[i], s, "train a model first" if s == "blocked" else "") for i, (t, s) in
         enumerate(zip(TITLES, states, strict=True))],
        {"project": "demo"},
    )  # fmt: skip
page.run()
