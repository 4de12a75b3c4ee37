"""Which validation rows are about which group: by words in the texts, and by columns of the person's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from core.data.counterfactual import labels_about
from core.data.group_rates import GroupedRows
from core.data.group_rows import named_in_texts
from core.data.own_words import knows, lexicon_for
from core.schemas.audits import AuditInput
from core.schemas.examples import Example


def grouped_rows(
    data: AuditInput, examples: Sequence[Example], axes: Collection[str], not_tested: list[str]
) -> list[GroupedRows]:
    """One entry for each column and each axis of the lexicon that is named; what is left out goes to `not_tested`."""
    found = list(_by_column(data, examples))
    if not knows(data.language, data.own_words):
        not_tested.append(f"Words in the texts: there is no list of identity words for the language “{data.language}”.")
        return found
    lexicon = lexicon_for(data.language, data.own_words)
    about = labels_about((example.label for example in examples), lexicon)
    named, _ = named_in_texts([example.text for example in examples], lexicon, axes)
    for axis in named:
        if axis.key in about:
            not_tested.append(f"{axis.title}: the label “{about[axis.key]}” is itself about it.")
        else:
            found.append(axis)
    return found


def _by_column(data: AuditInput, examples: Sequence[Example]) -> Iterator[GroupedRows]:
    for column, groups in data.groups.items():
        rows: dict[str, list[int]] = {}
        for i, example in enumerate(examples):
            if group := groups.get(example.row_id, "").strip():
                rows.setdefault(group, []).append(i)
        if rows:
            yield GroupedRows(f"column:{column}", f"Column “{column}”", rows, {group: f"“{group}”" for group in rows})
