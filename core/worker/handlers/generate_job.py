"""Generate: base and tuned answer the same prompts with the same decoding and seed, for the blind review."""

from __future__ import annotations

from typing import Any

from core.schemas.examples import Message
from core.schemas.families import FAMILIES
from core.schemas.jobs import Job
from core.schemas.predictor import Decoding
from core.services import reviews, runs
from core.tasks import registry as tasks
from core.worker.handlers.evaluate_job import opening
from core.worker.recorder import JobRecorder

COUNT = 50


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    from core.training import predictors

    training = runs.get(job.payload["run_id"])
    given = runs.inputs(training)
    decoding = Decoding.model_validate(job.payload["decoding"])
    chat = tasks()[training.task].conversational or FAMILIES[given.family].pairs
    own = job.payload.get("prompts") or []
    prompts: list[Any]
    if own:
        prompts = [(Message(role="user", content=text),) if chat else text for text in own]
        references = [""] * len(prompts)
    else:
        rows = reviews.prompts_for(training, int(job.payload.get("count", COUNT)))
        prompts = [e.prompt if e.messages else opening(e.text) for e in rows]
        references = [e.reference or e.text[len(opening(e.text)) :] for e in rows]

    def ticker(what: str) -> Any:
        def tick(done: int) -> None:
            recorder.obey()
            recorder.phase(what, done, len(prompts))

        return tick

    tuned = predictors.tuned(given.folder, given.plan, ticker("Your model writes")).generate(prompts, decoding)
    base = predictors.base(given.base_folder, given.family, given.plan, tick=ticker("The base model writes"))
    assert base is not None
    before = base.generate(prompts, decoding)
    shown = [p if isinstance(p, str) else "\n\n".join(m.content for m in p) for p in prompts]
    items = [
        {
            "prompt": prompt,
            "turns": [] if isinstance(asked, str) else [m.model_dump() for m in asked],
            "base": b.text,
            "tuned": t.text,
            "reference": reference,
            "finished": [b.finished, t.finished],
        }
        for asked, prompt, b, t, reference in zip(prompts, shown, before, tuned, references, strict=True)
    ]
    return recorder.deliver(lambda: {"sample_set_id": reviews.store(training, decoding, items).id})
