"""How an error reaches a person: what happened, why and what to do. Tracebacks go to the log, never to the screen."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from core.schemas.errors import UserError
from core.store.engine import DatabaseBusy, is_locked

from .markup import note, paragraph

log = logging.getLogger(__name__)

Repair = tuple[str, Callable[[], None]]


def show_error(error: UserError, repairs: Mapping[str, Repair] | None = None) -> None:
    """Draw the error calmly. Where `repairs` knows its `action`, a button (label, callback) applies the fix."""
    with st.container(border=True):
        st.html(note("error", error.title, paragraph(error.cause), paragraph(error.fix, label="What to do:")))
        if error.action and repairs and error.action in repairs:
            label, repair = repairs[error.action]
            st.button(label, key=f"repair.{error.action}", on_click=repair)


@contextmanager
def guard(repairs: Mapping[str, Repair] | None = None) -> Iterator[None]:
    """Run a part of a screen; if it fails, say so in its place and let the rest of the screen be drawn.

    Streamlit's own signals for stop, rerun and page switch are no `Exception` and pass through.
    """
    try:
        yield
    except UserError as error:
        show_error(error, repairs)
    except DatabaseBusy as error:
        if not is_locked(error):
            _unexpected()
            return
        log.warning("the database did not answer: %s", error.orig)
        show_error(
            UserError(
                "The database is busy.",
                "Another program holds it, such as a backup or a second copy of Tunewell. Nothing is lost, and what is at "
                "work goes on.",
                "Wait a moment, then press again what you pressed.",
            )
        )
    except Exception:
        _unexpected()


def _unexpected() -> None:
    reference = secrets.token_hex(4).upper()
    log.exception("Unexpected error on a screen, reference %s", reference)
    show_error(
        UserError(
            "Something went wrong here, and it is not your doing.",
            "The program met a situation that it does not know. Your data and your runs are as they were.",
            f"Reload the page. If it happens again, report it with the reference {reference}: "
            "the dashboard's log holds the details under it.",
        )
    )
