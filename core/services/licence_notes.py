"""Licence notes: what the licences of base model and data ask of whoever passes the model on. What is not known is said to be so.

A file LICENCE-NOTES.md beside every export, and a section of card and report. No legal advice, and it says that.
"""

from __future__ import annotations

from pathlib import Path

from core.data.licences import Licence, explain
from core.schemas.errors import UserError
from core.schemas.models import ModelFacts
from core.schemas.responsible import CONSENT
from core.store.tables import DatasetVersion, Project, Run

from . import data_sources, dataset_cards, models, projects, responsible
from .data_sources import Source

FILENAME = "LICENCE-NOTES.md"
TEXTS = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*", "credits.csv")
LARGEST_TEXT = 1 << 20
HEAD = (
    "What is known about the licences behind this model, as stated by others and by the person who made it. "
    "It is no legal advice, and nothing here was checked by a lawyer. Where a licence itself says something else, it counts."
)


def notes(run: Run) -> str:
    """The notes as Markdown (`FILENAME` of an export)."""
    project = projects.get(run.project_id)
    lines = [f"# Licence notes: {_line(project.name)}, round {run.number} ({run.name})", "", HEAD, ""]
    lines += ["## In short", "", *(f"- {point}" for point in in_short(run)), ""]
    lines += ["## Base model", "", *_base_lines(run), ""]
    lines += ["## Data", "", *_data_lines(project, run), ""]
    if earlier := data_sources.chain(run)[1:]:
        lines += ["## Earlier rounds", "", *_earlier_lines(run, earlier), ""]
    lines += ["## Program code", "", *CODE, ""]
    return "\n".join(lines)


CODE = (
    "Programs beside the weights (such as `answer.py` or `inference.py`) come from Tunewell. The libraries that load the model "
    "(transformers, tokenizers, safetensors, peft: Apache 2.0; torch: BSD) are not part of this folder.",
)


def texts(run: Run) -> dict[str, bytes]:
    """Licence texts, notices and credits of the base model, name to content, to stand beside the weights. Empty where its folder
    holds none."""
    facts = base(run)
    if facts is None:
        return {}
    return {f"base-model-{path.name}": path.read_bytes() for path in _text_files(facts)}


def base(run: Run) -> ModelFacts | None:
    """What is known of the base model; None where it was taken off this machine."""
    try:
        return models.get(run.base_model_key)
    except UserError:
        return None


def data_licence(project: Project) -> str:
    """The licence of the data as the person stated it, as a name of the hub; "" where nobody did."""
    stated = dataset_cards.notes(project).licence
    return "" if stated == "unknown" else stated


def in_short(run: Run) -> list[str]:
    """What a person has to settle or do before the model is passed on, each in a sentence."""
    project, facts = projects.get(run.project_id), base(run)
    name = facts.licence if facts else ""
    licence, stated = explain(name), data_licence(project)
    found = []
    if not name.strip():
        found.append("The licence of the base model is **not known**: find it out before you pass this model on.")
    elif not licence.known:
        found.append(f"The base model has the licence “{_line(name)}”, which Tunewell does not know: read it.")
    else:
        found.append(f"Base model: {licence.title}. {licence.words}")
    if not stated:
        found.append("The licence of the data is **not known**: nobody has stated it.")
    elif stated == "other":
        found.append(
            "The data has a licence of its own or is private: whether a model made from it may be passed on is **not known**."
        )
    else:
        found.append(f"Data: {explain(stated).title}. {explain(stated).words}")
    if len({each.title for each in _sharing(licence, stated)}) > 1:
        found.append(
            "Base model and data both ask that what is made from them carries their own licence, and the two differ: "
            "whether both can be kept is **not known**, ask somebody who knows licences."
        )
    if text := responsible.CONSENT_POINTS.get(responsible.answers(project).consent):
        found.append(text)
    return found


def _sharing(licence: Licence, stated: str) -> list[Licence]:
    return [each for each in (licence, explain(stated)) if each.share_alike]


# -- sections ----------------------------------------------------------------------------------------------------------


def _base_lines(run: Run) -> list[str]:
    facts = base(run)
    if facts is None:
        return [
            f"`{_line(run.base_model_key)}`, which is no longer on this machine: its licence is **not known** here. Look it up "
            "where the model came from."
        ]
    lines = [
        f"**{_line(facts.title)}**, {_from(facts)}.",
        "",
        f"Licence as its model card names it: {_stated(facts.licence)}",
    ]
    lines += ["", *_asking_lines(facts.licence)]
    if files := [path.name for path in _text_files(facts)]:
        named = ", ".join(f"`base-model-{_line(name)}`" for name in files)
        lines += ["", f"Its own licence texts and credits come with the export: {named}. Leave them there."]
    elif facts.licence:
        lines += [
            "",
            "Its folder holds no licence text. Where the licence asks for its text, add it from where the model came from.",
        ]
    return [*lines, "", "What the base model itself was made from, and whether that was allowed, was not looked into."]


def _from(facts: ModelFacts) -> str:
    if facts.source == "hub":
        return f"fetched from the Hugging Face hub at commit `{facts.revision or 'not recorded'}`"
    return (
        "the small model that ships with Tunewell" if facts.source == "starter" else "a folder of the person's machine"
    )


def _stated(name: str) -> str:
    return f"`{_line(name)}` ({_line(explain(name).title)})." if name.strip() else "**not stated**."


def _asking_lines(name: str) -> list[str]:
    """What a licence asks, as a list; said plainly where that is not known."""
    licence = explain(name)
    if not licence.known:
        return [f"What it asks is **not known** to Tunewell. {licence.words}"]
    lines = [licence.words]
    if licence.asks:
        lines += ["", "If you pass this model on:", "", *(f"- {each}" for each in licence.asks)]
    if licence.commercial is None:
        lines += ["", "Whether it may be used to earn money depends on conditions that have to be read."]
    return lines


def _data_lines(project: Project, run: Run) -> list[str]:
    stated, given = data_licence(project), responsible.answers(project)
    lines = []
    for version in data_sources.versions_learned(run):
        lines.append(
            f"- Version {version.number}: {version.rows:,} rows, content hash `{version.content[:16]}`{_came(version)}"
        )
    lines += ["", f"Licence, as the person who made this model stated it: {_data_stated(stated)}"]
    if stated and stated != "other":
        lines += ["", *_asking_lines(stated)]
    consent = CONSENT[given.consent] if given.consent else "**not answered**"
    lines += ["", f"Did the people who wrote the texts, or appear in them, agree to this use? {consent}."]
    source = dataset_cards.notes(project).source
    lines += ["", f"Where the texts come from: {_line(source) or '**not stated**'}"]
    if any(data_sources.judged_by_people(v) for v in data_sources.versions_learned(run)):
        lines += ["", "Part of the rows are answers that people chose or corrected while they reviewed the model."]
    return lines


def _came(version: DatasetVersion) -> str:
    found = data_sources.sources(version)
    return f", from {', '.join(_named(each) for each in found)}" if found else ", where it came from was not recorded"


def _named(source: Source) -> str:
    if source.dataset:
        return f"`{_line(source.name)}` of the hub's dataset `{source.dataset}` at commit `{source.commit}`"
    return f"`{_line(source.name)}`"


def _data_stated(stated: str) -> str:
    if not stated:
        return "**not stated**. Nobody may be assumed to have allowed anything."
    return f"{dataset_cards.LICENCES.get(stated, stated)}."


def _earlier_lines(run: Run, earlier: list[Run]) -> list[str]:
    names = ", ".join(f"round {each.number} ({each.name})" for each in earlier)
    lines = [
        f"This round goes on from {names}. What those learned is in these weights too; their data is listed above."
    ]
    others = dict.fromkeys(each.base_model_key for each in earlier if each.base_model_key != run.base_model_key)
    for key in others:
        lines += ["", f"They began with another base model, `{_line(key)}`, whose licence counts as well."]
    return lines


def _text_files(facts: ModelFacts) -> list[Path]:
    """Texts at the top of the model's folder, in order; links and what is too large for a text are passed over."""
    folder = Path(facts.folder)
    found = {p for pattern in TEXTS for p in folder.glob(pattern) if p.is_file() and not p.is_symlink()}
    return sorted(p for p in found if p.stat().st_size <= LARGEST_TEXT)


def _line(value: object) -> str:
    return dataset_cards.line(value)
