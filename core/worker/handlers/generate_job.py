"""Generate: everyone who is compared answers the same prompts with the same decoding and seed, for the blind review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.schemas.jobs import Job
from core.schemas.predictor import Decoding, Generation
from core.schemas.reviews import AGAIN, BASE, REFERENCE, Contender, Prompt, ReviewSpec
from core.services import projects, review_prompts, reviews, runs
from core.store.tables import Run
from core.worker.recorder import JobRecorder

AGAIN_SEED = 7919  # added to the seed for the second answer of the same model


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    training = runs.get(job.payload["run_id"])
    spec = ReviewSpec.model_validate(job.payload["spec"])
    decoding = Decoding.model_validate(job.payload["decoding"])
    recorder.phase("Choosing prompts")
    chosen = review_prompts.choose(projects.get(training.project_id), training, spec)
    recorder.obey()
    recorder.phase("Starting the model engine")
    written: dict[str, Sequence[str]] = {}
    ended: dict[str, Sequence[bool]] = {}
    for contender in spec.contenders:
        if contender.key == REFERENCE:
            written[REFERENCE] = [prompt.reference for prompt in chosen.prompts]
            continue
        answers = _answers(training, contender, chosen.prompts, decoding, recorder)
        written[contender.key] = [answer.text for answer in answers]
        ended[contender.key] = [answer.finished for answer in answers]
    items = [
        {
            "prompt": prompt.text,
            "turns": [turn.model_dump() for turn in prompt.turns],
            "reference": prompt.reference,
            "near": prompt.near,
            **{key: texts[i] for key, texts in written.items()},
            "finished": {key: flags[i] for key, flags in ended.items()},
        }
        for i, prompt in enumerate(chosen.prompts)
    ]
    kept = recorder.deliver(
        lambda: {"sample_set_id": reviews.store(training, decoding, items, spec, chosen.refused).id}
    )
    return {**kept, "prompts": len(items), "refused": len(chosen.refused)}


def _answers(
    training: Run, contender: Contender, prompts: Sequence[Prompt], decoding: Decoding, recorder: JobRecorder
) -> list[Generation]:
    """One contender's answers. Its model is let go of before the next one is loaded."""
    from core.training import predictors

    tick = _ticker(recorder, f"{contender.title} writes", len(prompts))
    asked: list[Any] = [prompt.turns or prompt.text for prompt in prompts]
    if contender.key == BASE:
        given = runs.inputs(training)
        model = predictors.base(given.base_folder, given.family, given.plan, tick=tick)
        assert model is not None
        return model.generate(asked, decoding)
    given = runs.inputs(runs.get(contender.run_id) if contender.run_id else training)
    if contender.key == AGAIN:
        decoding = decoding.model_copy(update={"seed": decoding.seed + AGAIN_SEED})
    return predictors.tuned(given.folder, given.plan, tick).generate(asked, decoding)


def _ticker(recorder: JobRecorder, what: str, total: int) -> Callable[[int], None]:
    def tick(done: int) -> None:
        recorder.obey()
        recorder.phase(what, done, total)

    return tick
