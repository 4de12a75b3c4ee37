"""The dataset card: what the data is, where it came from, what was mended, what was found in it and how it was split.

In the format of the Hugging Face hub: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import Field

from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan, SplitPlan
from core.schemas.responsible import CONSENT, KEY, ResponsibleUse
from core.store.tables import DatasetVersion, Plan, Project
from core.tasks import registry as tasks

from . import datasets, fixes, health, preparation, projects, rows

# A few of the names that the hub knows: https://huggingface.co/docs/hub/repositories-licenses
LICENCES = {
    "unknown": "Not stated",
    "cc0-1.0": "Public domain (CC0 1.0)",
    "cc-by-4.0": "Name the authors (CC BY 4.0)",
    "cc-by-sa-4.0": "Name the authors, share alike (CC BY-SA 4.0)",
    "cc-by-nc-4.0": "Name the authors, not for sale (CC BY-NC 4.0)",
    "odc-by": "Open Data Commons, name the authors (ODC-By)",
    "odbl": "Open Database Licence (ODbL)",
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "other": "Another licence, or private: not for passing on",
}
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
LABELS_SHOWN = 60


class CardNotes(Schema):
    """What only the person knows. `languages` are codes such as en or de, separated by commas; empty: as found."""

    licence: str = Field("unknown", title="Licence", description="What others may do with this data.")
    languages: str = Field(
        "", max_length=80, title="Languages", description="Codes such as en, de. Empty: the language that was found."
    )
    source: str = Field(
        "",
        max_length=2000,
        title="Where the texts come from",
        description="Who wrote them, when and for what, and whether they agreed to this use.",
    )


def notes(project: Project) -> CardNotes:
    return CardNotes.model_validate(project.settings.get("dataset_card") or {})


def keep_notes(project: Project, given: CardNotes) -> None:
    """Raises UserError for a language that is no code."""
    _languages(given.languages)
    projects.settings(project.id, dataset_card=given.model_dump(mode="json"))


def dataset_card(project: Project, version: DatasetVersion, given: CardNotes | None = None) -> str:
    """The card of a version, YAML header and Markdown, with the notes that are kept unless others are given."""
    given, plan = given or notes(project), _plan(project, version)
    report = health.of(version)
    found = [report.language] if report and report.language else []
    header: dict[str, Any] = {
        "pretty_name": f"{project.name}, version {version.number}",
        "license": given.licence,
        "task_categories": [FAMILIES[tasks()[project.task or "completion"].family].pipeline],
        "size_categories": [next((name for most, name in SIZES if version.rows < most), "10M<n<100M")],
        "tags": ["tunewell"],
    }
    if languages := _languages(given.languages) or found:
        header["language"] = languages
    lines = [
        f"# {line(project.name)}: dataset version {version.number}",
        "",
        f"{version.rows:,} rows for the task: {tasks()[project.task or ''].title.lower()}. Content hash "
        f"`{version.content[:16]}`. Made with Tunewell.",
        "",
        "## What it is for",
        "",
        project.goal or "The author has not stated a purpose.",
        "",
        "## Columns",
        "",
        *_column_lines(project, version),
        "",
        *_label_lines(version),
        "## Where it comes from",
        "",
        given.source
        or "The author has not said where the texts come from, or whether their writers agreed to this use.",
        "",
        *_use_lines(project),
        *_history_lines(version),
        "",
        "## What was found in it",
        "",
        *_finding_lines(report),
        "",
        "## How it is split",
        "",
        *_split_lines(plan),
        "",
        "## Licence",
        "",
        f"{LICENCES.get(given.licence, given.licence)}.",
        "",
        "## Limits",
        "",
        "The checks find what they look for and prove nothing else: texts may hold errors, personal data or bias that no check "
        "knows. Rows whose meaning was changed by a fix are listed above with the fix.",
        "",
    ]
    return "---\n" + yaml.safe_dump(header, sort_keys=False, allow_unicode=True) + "---\n\n" + "\n".join(lines)


def _use_lines(project: Project) -> list[str]:
    """What was answered about consent and misuse, nothing where it is open."""
    use = ResponsibleUse.model_validate(project.settings.get(KEY) or {})
    consent = f"Agreement of the people in it: {CONSENT[use.consent].lower()}." if use.consent else ""
    misuse = f"What it must not be used for: {line(use.misuse)}" if use.misuse.strip() else ""
    return [part for line in (consent, misuse) if line for part in (line, "")]


def _plan(project: Project, version: DatasetVersion) -> Plan | None:
    found = preparation.current(project)
    return found if found and found.dataset_version_id == version.id else None


def _languages(text: str) -> list[str]:
    codes = [code.strip().lower() for code in text.split(",") if code.strip()]
    for code in codes:
        if not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3):
            raise UserError(
                "A language is not known.",
                f"{code[:20]!r} is no code of a language.",
                "Write codes such as en, de, fr.",
            )
    return codes


def line(value: object) -> str:
    """Text from outside in one line of Markdown, without breaking a table."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def _column_lines(project: Project, version: DatasetVersion) -> list[str]:
    titles = {role.key: role for role in tasks()[project.task or ""].roles}
    keys = ((role.partition(":")[0], column) for role, column in version.roles.items() if column)
    role_of = {column: titles[role] for role, column in keys if role in titles}
    lines = ["| column | what it holds |", "|---|---|"]
    for column in datasets.frame(version).columns:
        if column == datasets.ROW_ID:
            text = "the row's id, the same in every version"
        elif column == datasets.PART:
            text = "the file that the row came from"
        else:
            text = f"{role_of[column].title}: {role_of[column].help}" if column in role_of else "not used"
        lines.append(f"| `{line(column)}` | {text} |")
    return lines


def _label_lines(version: DatasetVersion) -> list[str]:
    counts = rows.label_counts(version)
    if not counts:
        return []
    total = counts.total()
    lines = [f"## Categories ({len(counts)})", "", "| category | rows | share |", "|---|---|---|"]
    lines += [f"| {line(x)} | {n:,} | {100 * n / total:.1f}% |" for x, n in counts.most_common(LABELS_SHOWN)]
    return [*lines, *([f"and {len(counts) - LABELS_SHOWN} more"] if len(counts) > LABELS_SHOWN else []), ""]


def _history_lines(version: DatasetVersion) -> list[str]:
    """From the file to this version, each fix with its parameters."""
    every = {v.id: v for v in datasets.versions(version.project_id)}
    chain: list[DatasetVersion] = [version]
    while (parent := every.get(chain[-1].parent_id or "")) and parent not in chain:
        chain.append(parent)
    return [f"{place}. {_step(v)}" for place, v in enumerate(reversed(chain), start=1)]


def _step(version: DatasetVersion) -> str:
    origin = version.origin
    head = f"Version {version.number}, {version.rows:,} rows: "
    if origin.get("kind") == "import":
        named = ", ".join(f"`{line(name)}`" for name in origin.get("names", []))
        return head + f"imported from {named or 'a file'}."
    if origin.get("kind") == "fix":
        steps = origin.get("steps") or [[origin.get("fix", ""), origin.get("options", {})]]
        done = "; ".join(f"{_title(key)}{_options(options)}" for key, options in steps)
        return head + f"{done}. {origin.get('changed', 0):,} rows touched."
    return head + f"{line(version.title)} ({line(origin.get('kind', 'changed'))})."


def _title(key: str) -> str:
    try:
        return fixes.describe(key).title
    except (KeyError, UserError):  # a fix of an older or newer Tunewell
        return key


def _options(options: Mapping[str, Any]) -> str:
    text = json.dumps(dict(options), ensure_ascii=False, sort_keys=True)
    return f" with `{line(text if len(text) <= 300 else text[:297] + '...').replace('`', ' ')}`" if options else ""


def _finding_lines(report: Any) -> list[str]:
    if report is None:
        return ["The data has not been checked."]
    lines = []
    for finding in report.findings:
        measured = f" ({_share(finding.estimate)})" if finding.estimate else ""
        lines.append(f"- **{finding.severity.value}**: {line(finding.title)}{measured}")
    return lines or ["Nothing was found."]


def _share(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"n = {estimate.n:,}"
    return f"{100 * estimate.value:.3g}%, 95% interval {100 * estimate.low:.3g} to {100 * estimate.high:.3g}%, n = {estimate.n:,}"


def _split_lines(plan: Plan | None) -> list[str]:
    if plan is None:
        return ["Not split yet."]
    config = PreparationPlan.model_validate(plan.config).split
    extra: Any = SplitPlan.model_fields["strategy"].json_schema_extra
    title = extra["options"][config.strategy]
    by = f", column `{line(config.column)}`" if config.column else ""
    return [
        f"{title}{by}, seed {config.seed}. Equal texts are never in two parts, unless the files put them there.",
        "",
        "| part | rows |",
        "|---|---|",
        *(f"| {part} | {plan.counts[part]:,} |" for part in ("train", "validation", "test")),
    ]
