"""One question with its answers beside each other, finished or still being written, and what can be done with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from core.data.direction import direction
from core.schemas.chat import Answer, Turn
from core.schemas.errors import UserError
from core.services import answering, chat_votes, conversations
from core.store.tables import Conversation, Run

from . import parts, screens
from .copy_button import copy_button
from .errors import guard, show_error
from .output_filter import filter_note
from .reading import reading_html

TICK_SECONDS = 0.3
THUMBS: dict[int, chat_votes.Thumb] = {0: "down", 1: "up"}


def turns_panel(run: Run, conversation: Conversation, *, continued: bool = False) -> None:
    """All turns, the last one live while it is being written. `continued`: answers go on with the question's own text."""
    names = conversations.choices(run)
    writing = answering.live(conversation.id)
    # Read after that question: an answer that has ended meanwhile is then kept whole, and not taken for one that broke off.
    every = conversations.turns(conversations.get(conversation.id))
    for place, turn in enumerate(every):
        if writing is not None and place == writing.place:
            _live(names, conversation.id, continued)
        else:
            _turn(names, conversation, place, turn, continued)


@st.fragment(run_every=TICK_SECONDS)
@guard()
def _live(names: Mapping[str, str], conversation_id: str, continued: bool) -> None:
    """The turn that is being written. It looks again several times a second, so that every press on the page gets through."""
    found = answering.live(conversation_id)
    if found is None:
        st.rerun()
    turn = found.now()
    if not continued:
        _asked(turn)
    first = next((m for m, a in turn.answers.items() if a.state in ("waiting", "writing")), "")
    for column, (model, answer) in zip(st.columns(len(turn.answers)), turn.answers.items(), strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(f"**{parts.plain(names.get(model, model))}**")
            busy = answer.state in ("waiting", "writing")
            if busy and not answer.text:
                st.caption("Reading the question…" if model == first else "Answers next")
                continue
            st.html(f'<div class="{"tw-caret" if busy else ""}">{_text(turn, answer, continued)}</div>')
            _notes(turn, answer)
    st.button(
        "Stop", icon=":material/stop_circle:", key=f"stop-{conversation_id}", on_click=found.stop,
        help="Ends the answer at once; what is written so far stays.",
    )  # fmt: skip


def _turn(names: Mapping[str, str], conversation: Conversation, place: int, turn: Turn, continued: bool) -> None:
    if not continued:
        _asked(turn)
    for column, (model, given) in zip(st.columns(max(1, len(turn.answers))), turn.answers.items(), strict=True):
        answer = answering.settled(given, writing=False)
        with column.container(border=True, height="stretch"):
            st.caption(f"**{parts.plain(names.get(model, model))}**")
            if answer.text or answer.state == "done":
                st.html(_text(turn, answer, continued))
            _notes(turn, answer)
            if answer.text:
                _actions(conversation, place, model, turn, answer)


def _asked(turn: Turn) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.html(f'<div class="tw-read tw-continued tw-asked" dir="{direction(turn.asked)}">{escape(turn.asked)}</div>')


def _text(turn: Turn, answer: Answer, continued: bool) -> str:
    """The answer as harmless HTML. A text that was gone on with shows its beginning more quietly."""
    if not continued:
        return reading_html(answer.text)
    whole = turn.asked + answer.text
    return (
        f'<div class="tw-read tw-continued" dir="{direction(whole)}"><span class="tw-prompt">{escape(turn.asked)}</span>'
        f"{escape(answer.text)}</div>"
    )


def _notes(turn: Turn, answer: Answer) -> None:
    """What a person should know about this answer."""
    filter_note(answer.filtered)
    if answer.state == "done" and not answer.text.strip():
        st.caption(":material/info: The model ended its answer at once and wrote nothing.")
    if answer.state == "stopped":
        st.caption(
            ":material/stop_circle: Stopped."
            if answer.text
            else ":material/stop_circle: Stopped before the first word."
        )
    if not answer.finished:
        most = turn.settings.decoding.max_new_tokens
        st.caption(f":material/content_cut: Cut at the longest answer that was allowed ({most:,} tokens).")
    if answer.unread:
        st.caption(
            f":material/info: Question and answer are longer than this model can read at once: the first {answer.unread:,} "
            "tokens were left out. Begin a new conversation, or allow shorter answers.",
            help=parts.term("context length"),
        )
    if answer.error:
        show_error(UserError.from_dict(answer.error))


def _actions(conversation: Conversation, place: int, model: str, turn: Turn, answer: Answer) -> None:
    """Thumbs and copying. A thumb is kept with one press and taken back by the next."""
    key = f"{conversation.id}-{place}-{turn.tries}-{model}"
    thumb = f"thumb-{key}"
    st.session_state[thumb] = {"up": 1, "down": 0}.get(answer.vote)

    def judge() -> None:
        pressed = st.session_state.get(thumb)
        with guard():
            if pressed is None:
                chat_votes.undo(conversation.id, place, model)
            else:
                chat_votes.vote(conversation.id, place, model, THUMBS[pressed])

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.feedback("thumbs", key=thumb, on_change=judge)
        copy_button(answer.text, f"copy-{key}")
        if answer.vote:
            st.caption(f"Judged {'good' if answer.vote == 'up' else 'not good'}: press again to take it back.")


def judged_note(run: Run, conversation: Conversation) -> None:
    """Under a conversation: where its thumbs went, what they will do, and the way there."""
    if not any(answer.vote for turn in conversations.turns(conversation) for answer in turn.answers.values()):
        return
    kept = chat_votes.kept_in(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/rate_review: {chat_votes.effect(run)}")
        if kept is not None:
            st.page_link(
                screens.page_of("samples"), label="See them", icon=":material/arrow_forward:",
                query_params={**screens.here(), "review": kept.id},
            )  # fmt: skip
