"""What an audit looks at: which audits, on which rows, with which files of the person; and how much there is to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from core.schemas.audits import Audit as AuditPlugin
from core.schemas.audits import AuditInput, GivenFile
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.examples import Message
from core.schemas.families import FAMILIES
from core.schemas.predictor import Decoding, Generation, Predictor, Score
from core.store import files
from core.store.tables import Run
from core.tasks import registry as tasks

from . import audits, datasets, identity_words, models, runs

KEY = "scope"
"""Where the scope stands in an audit's config, beside the settings of single audits."""


class KeptFile(Schema):
    """A file that the person brought: its name, and its hash in the uploads or its path on this machine."""

    name: str
    sha256: str = ""
    path: str = ""

    def given(self) -> GivenFile:
        """Raises UserError where it is gone."""
        place = files.upload_path(self.sha256) if self.sha256 else Path(self.path).expanduser()
        if not place.is_file():
            raise UserError("A file is gone.", f"{self.name} is no longer where it was.", "Give it once more.")
        return GivenFile(self.name, place)


class Scope(Schema):
    """`audits` None: all that need no file and are not optional. `files` by audit; `scorer` the folder of a classifier."""

    audits: tuple[str, ...] | None = None
    files: dict[str, tuple[KeptFile, ...]] = {}
    scorer: str = ""


def of(config: Mapping[str, Mapping[str, Any]]) -> Scope:
    return Scope.model_validate(dict(config.get(KEY) or {}))


def needs_file(audit: AuditPlugin) -> bool:
    return bool(getattr(audit, "needs_file", False))


def is_optional(audit: AuditPlugin) -> bool:
    return bool(getattr(audit, "optional", False))


def chosen(family: str, scope: Scope) -> dict[str, AuditPlugin]:
    """The audits that will run for this kind of model, in their order: those that were chosen, and benchmarks with a file."""
    found = {}
    for key, audit in audits.available(family).items():
        wanted = not is_optional(audit) if scope.audits is None else key in scope.audits
        if bool(scope.files.get(key)) if needs_file(audit) else wanted:
            found[key] = audit
    return found


def keep_file(project_id: str, name: str, stream: BinaryIO) -> KeptFile:
    """Keep a benchmark's file that was uploaded."""
    kept = datasets.keep_upload(project_id, name, stream)
    return KeptFile(name=Path(name).name[:255], sha256=kept.sha256)


def files_of(scope: Scope) -> dict[str, list[GivenFile]]:
    return {key: [file.given() for file in given] for key, given in scope.files.items()}


def given(
    run: Run,
    inputs: runs.Inputs,
    config: Mapping[str, Mapping[str, Any]],
    split: str,
    model: bool,
    tuned: Predictor | None = None,
    base: Predictor | None = None,
    scorer: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AuditInput:
    """What one audit gets. `model`: it needs the model and looks at held-out rows, else at those that were learned from."""
    language = identity_words.language_of(datasets.get_version(run.dataset_version_id))
    more: dict[str, Any] = {"progress": progress} if progress else {}
    return AuditInput(
        examples=inputs.parts[split] if model else [*inputs.parts["train"], *inputs.parts["validation"]],
        tuned=tuned if model else None,
        base=base if model else None,
        groups=audits.own_groups(run, config),
        categories={} if model else audits.other_columns(run, config),
        language=language,
        own_words=identity_words.of(run.project_id, language),
        files=files_of(of(config)),
        scorer=scorer,
        **more,
    )


def passes(run: Run, config: Mapping[str, Mapping[str, Any]], split: str = "validation") -> dict[str, int | UserError]:
    """By audit, how many texts the models will read or answers they will write at most; or why it cannot run.

    Equal texts of two audits are read once, so that the whole may be quicker than the sum. No model is loaded.
    """
    inputs = runs.inputs(run)
    scope = of(config)
    tuned = _Unloaded(inputs.labels)
    base = _Unloaded(inputs.labels) if _has_base(run, inputs.family) else None
    scorer = _Unloaded(("scorer",)) if scope.scorer else None
    found: dict[str, int | UserError] = {}
    for key, audit in chosen(inputs.family, scope).items():
        if audit.needs_model:
            try:
                data = given(run, inputs, config, split, True, tuned, base, scorer)
                settings = audit.config.model_validate(config.get(key) or {})
                settings = identity_words.with_own_axes(settings, data.language, data.own_words)
                found[key] = audit.forward_passes(data, settings)
            except UserError as error:
                found[key] = error
    return found


def _has_base(run: Run, family: str) -> bool:
    """Whether the untouched model can be compared: one that writes text, for a task that it can be asked about."""
    return not FAMILIES[family].reads or (family != "regression" and models.get(run.base_model_key).causal)


class _Unloaded:
    """Stands for a model of which only the labels are needed: to count what it would read."""

    thresholds: Sequence[float] = ()

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        raise NotImplementedError

    def values(self, texts: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def generate(self, prompts: Sequence[Sequence[Message] | str], decoding: Decoding) -> list[Generation]:
        raise NotImplementedError

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        raise NotImplementedError


def family_of(run: Run) -> str:
    return tasks()[run.task].family
