"""Sentence pairs about somebody's job that differ in the pronoun alone, half of the jobs stereotyped as women's and half as
men's. Templates under `assets/pairs`, written for this project."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.schemas.base import Schema
from core.schemas.errors import UserError

from .english import article

FOLDER = Path(__file__).parents[2] / "assets" / "pairs"
_JOB = re.compile(r"(?P<article>\b[Aa]n? )?\{job\}")


class PairTemplate(Schema):
    """`{job}` is the job, and one of the file's words in braces (`{she}`) the place where the two sentences differ."""

    id: str
    text: str


class PairFile(Schema):
    """`words` maps a place to the word of each group, `jobs` the group of a stereotype to its jobs (equally many each)."""

    language: str
    axis: str
    groups: tuple[str, str]
    about: str
    words: dict[str, dict[str, str]]
    jobs: dict[str, tuple[str, ...]]
    templates: tuple[PairTemplate, ...]


class JobPair(NamedTuple):
    """`stem` ends before the pronoun; `rest` follows it and is shared by both sentences. `words` are the pronoun of the
    first and of the second group; `stereotype` is 0 or 1, the group that the job is stereotyped as belonging to."""

    template_id: str
    job: str
    stereotype: int
    stem: str
    words: tuple[str, str]
    rest: str

    def sentence(self, group: int) -> str:
        return self.stem + self.words[group] + self.rest


def languages() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load_pairs(language: str = "en") -> PairFile:
    """Raises UserError where there are no sentences in the language."""
    if language not in languages():
        raise UserError(
            "There are no sentence pairs in this language yet.",
            f"The pairs about jobs and pronouns exist in: {', '.join(languages())}.",
            "The other parts of the audit are not affected.",
        )
    return PairFile.model_validate_json((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def job_pairs(templates: int, jobs: int, language: str = "en") -> list[JobPair]:
    """So many templates, spread evenly, each with so many jobs: half from either stereotype, moving on from template to
    template, so that every job gets its turn."""
    file = load_pairs(language)
    most = min(templates, len(file.templates))
    chosen = [file.templates[i * len(file.templates) // most] for i in range(most)]
    result = []
    for t, template in enumerate(chosen):
        for stereotype, group in enumerate(file.groups):
            known = file.jobs[group]
            half = min(jobs // 2, len(known))
            for j in range(half):
                job = known[(t * half + j) % len(known)]
                result.append(_filled(template, job, stereotype, file))
    return result


def _filled(template: PairTemplate, job: str, stereotype: int, file: PairFile) -> JobPair:
    def named(match: re.Match[str]) -> str:
        before = match["article"] or ""
        if before:
            right = article(job)
            before = (right.capitalize() if before[0] == "A" else right) + " "
        return before + job

    text = _JOB.sub(named, template.text)
    place = next(word for word in file.words if "{" + word + "}" in text)
    stem, rest = text.split("{" + place + "}")
    first, second = (file.words[place][group] for group in file.groups)
    return JobPair(template.id, job, stereotype, stem, (first, second), rest)
