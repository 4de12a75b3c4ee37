"""Prompts made from templates: "Write a reply to a customer who {problem}" with a list of values for each slot."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import partial
from math import prod

from core.schemas.errors import UserError

SLOT = re.compile(r"\{([^{}\n]{1,60})\}")


def slots(templates: Sequence[str]) -> list[str]:
    """The names in braces, in order of first sight."""
    return list(dict.fromkeys(name.strip() for text in templates for name in SLOT.findall(text)))


def combinations(templates: Sequence[str], values: Mapping[str, Sequence[str]]) -> int:
    """How many different prompts the templates can make at most."""
    return sum(prod(len(values.get(name, ())) for name in slots([text])) for text in templates)


def filled(templates: Sequence[str], values: Mapping[str, Sequence[str]], count: int, seed: int) -> list[str]:
    """At most `count` different prompts, drawn evenly from all combinations without repeats, the same for the same seed.

    Raises UserError where a slot has no values or there is no template.
    """
    if not templates:
        raise UserError(
            "There is no template.", "Nothing was written to make prompts from.", "Write one template a line."
        )
    if lacking := [name for name in slots(templates) if not values.get(name)]:
        raise UserError(
            "A slot has no values.",
            f"Nothing stands for {', '.join('{' + name + '}' for name in lacking)}.",
            "Write the values, one a line, or take the braces out of the template.",
        )
    total = combinations(templates, values)
    chosen = random.Random(seed).sample(range(total), min(count, total))
    return list(dict.fromkeys(_at(templates, values, place) for place in chosen))


def _at(templates: Sequence[str], values: Mapping[str, Sequence[str]], place: int) -> str:
    """The combination with this number: templates in order, the slots of each counted like digits."""
    for text in templates:
        names = slots([text])
        own = prod(len(values[name]) for name in names)
        if place >= own:
            place -= own
            continue
        taken: dict[str, str] = {}
        for name in names:
            place, digit = divmod(place, len(values[name]))
            taken[name] = values[name][digit]
        return SLOT.sub(partial(_value, taken), text)
    raise IndexError(place)


def _value(taken: Mapping[str, str], found: re.Match[str]) -> str:
    return taken[found[1].strip()]
