"""Answers being written: each in a thread of the dashboard's process, so that no press on a screen and no closed page ends one.

A screen looks at `live` again and again. What was written is kept in the database every second and at the end; a thread that
is gone with its process leaves its answer marked as unfinished.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from core.schemas.chat import Answer, Turn
from core.schemas.errors import UserError
from core.schemas.jobs import Job, JobKind
from core.store import jobs
from core.store.tables import Conversation, Run
from core.tasks import registry as tasks

from . import asking, conversations, playground, runs

log = logging.getLogger(__name__)
KEEP_SECONDS = 1.0
_live: dict[str, Answering] = {}
_lock = threading.Lock()


class Answering:
    """The models of one conversation answer its last turn, one after the other: two at once would each be half as quick."""

    def __init__(self, conversation: Conversation, place: int, job: Job) -> None:
        self.conversation, self.place, self.job = conversation, place, job
        every = conversations.turns(conversation)
        self._before, self.turn = every[:place], every[place]
        # From nothing, whatever another page's thread wrote into the turn meanwhile; what was judged stays judged.
        self._answers = {m: Answer(vote=a.vote, review=a.review) for m, a in self.turn.answers.items()}
        self._guard = threading.Lock()
        self._question: asking.Question | None = None
        self._stopped = False
        self.thread = threading.Thread(target=self._run, name=f"answer {conversation.id}", daemon=True)

    def now(self) -> Turn:
        """The turn as far as it is written."""
        with self._guard:
            return self.turn.model_copy(update={"answers": dict(self._answers)})

    def stop(self) -> None:
        """End the answer that is being written, and do not begin another one."""
        with self._guard:
            self._stopped = True
            question = self._question
        if question is not None:
            question.stop()

    def _run(self) -> None:
        try:
            for model in self.conversation.models:
                self._one(str(model))
                self._keep()
        except Exception:
            # Nobody waits for this thread: the log has the reason, and the screen finds the answer unfinished.
            log.exception("an answer could not be kept")
        finally:
            with _lock:
                if _live.get(self.conversation.id) is self:
                    del _live[self.conversation.id]

    def _one(self, model: str) -> None:
        begun = kept = time.monotonic()
        question = asking.Question(self.job)
        with self._guard:
            self._question = question
            if self._stopped:
                question.stop()
        if question.stopped:
            self._set(model, state="stopped")
            return
        try:
            for piece in self._pieces(question, model):
                before = self._answers[model]
                self._set(
                    model,
                    text=before.text + piece.text,
                    state="writing",
                    finished=before.finished and piece.ended != "length",
                    filtered=before.filtered or piece.filtered,
                    unread=before.unread or piece.unread,
                    seconds=time.monotonic() - begun,
                )
                if time.monotonic() - kept > KEEP_SECONDS:
                    kept = time.monotonic()
                    self._keep()
            self._set(model, state="stopped" if question.stopped else "done", seconds=time.monotonic() - begun)
        except UserError as error:
            state = "stopped" if question.stopped else "failed"
            shown = None if question.stopped else error.as_dict()
            self._set(model, state=state, error=shown, seconds=time.monotonic() - begun)

    def _pieces(self, question: asking.Question, model: str) -> Iterator[asking.Piece]:
        chosen = self.turn.settings
        decoding = chosen.decoding.model_copy(update={"seed": chosen.decoding.seed + self.turn.tries})
        run = runs.get(self.conversation.run_id)
        name = playground.model_of(self.job, run, model)
        if not tasks()[run.task].conversational:
            return asking.text(question, name, self.turn.asked, decoding)
        asked = conversations.messages(self._before, model, self.turn.asked, chosen.system)
        return asking.chat(question, name, asked, decoding)

    def _set(self, model: str, **values: object) -> None:
        with self._guard:
            self._answers[model] = self._answers[model].model_copy(update=values)

    def _keep(self) -> None:
        conversations.keep(self.conversation.id, self.place, self.now().answers)


def put_away(run: Run) -> Job | None:
    """The newest job that held this round's models and has ended, with its error or how it ended."""
    found = jobs.find(project_id=run.project_id, kinds=[JobKind.SERVE])
    return next((job for job in found if job.payload["run_id"] == run.id and job.state.final), None)


def begin(conversation_id: str, place: int, job: Job) -> Answering:
    """Let the models answer the turn at `place`. One at a time in a conversation: what is being written is stopped first."""
    stop(conversation_id)
    answering = Answering(conversations.get(conversation_id), place, job)
    with _lock:
        _live[conversation_id] = answering
    answering.thread.start()
    return answering


def live(conversation_id: str) -> Answering | None:
    """What is being written in this conversation just now."""
    return _live.get(conversation_id)


def stop(conversation_id: str, wait: float = 10.0) -> None:
    """Stop the answer and wait until what was written is kept."""
    found = live(conversation_id)
    if found is not None:
        found.stop()
        found.thread.join(wait)


def settled(answer: Answer, writing: bool) -> Answer:
    """An answer as it is to be shown: one whose thread went with its process is unfinished, and says so."""
    if writing or answer.state not in ("waiting", "writing"):
        return answer
    return answer.model_copy(update={"state": "failed", "error": asking.broken().as_dict()})
