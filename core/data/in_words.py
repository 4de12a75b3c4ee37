"""Numbers and settings as a person writes them, for screens, notes and the command line alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel


def number_text(value: float) -> str:
    """A number as a person writes it: 2e-5, 0.1, 1,000 stays 1000."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6) and math.isfinite(value):
        mantissa, exponent = f"{value:.6e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.10g}"


def significant(value: float, digits: int = 3) -> str:
    """A figure of any unit with so many digits that count, never as a power of ten: prices and populations stay readable."""
    if not math.isfinite(value) or not value or not 1e-9 < abs(value) < 1e15:
        return f"{value:.{digits}g}"
    kept = float(f"{value:.{digits}g}")
    after = max(0, digits - 1 - math.floor(math.log10(abs(kept))))
    text = f"{kept:,.{after}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def times(count: int) -> str:
    """How often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def setting_title(model: type[BaseModel], name: str) -> str:
    """The title of a field, or its name where it is not known any more."""
    field = model.model_fields.get(name)
    return (field.title if field else None) or name.replace("_", " ").capitalize()


def setting_value(model: type[BaseModel], name: str, value: Any, titles: Mapping[str, str] | None = None) -> str:
    """A setting's value as the form shows it; `titles` are those of choices that are plug-ins."""
    field = model.model_fields.get(name)
    extra = field.json_schema_extra if field and isinstance(field.json_schema_extra, dict) else {}
    if value is None:
        return str(extra.get("empty", "not set")).lower()
    if isinstance(value, bool):
        return "on" if value else "off"
    options = titles or extra.get("options")
    if isinstance(options, Mapping) and value in options:
        return str(options[value])
    if isinstance(value, str):
        return f"“{value}”" if len(value) <= 40 else f"a text of {len(value):,} characters"
    return number_text(value)


def differences(
    model: type[BaseModel],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    titles: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, str]:
    """What differs between two filled-in forms: field to "Learning rate 0.0002 → 0.0005", in the order of the form.

    A setting that one of them does not know yet counts as its default.
    """
    said = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        values = [_plain(one.get(name, default)) for one in (before, after)]
        if values[0] != values[1]:
            shown = [setting_value(model, name, value, (titles or {}).get(name)) for value in values]
            said[name] = f"{setting_title(model, name)} {shown[0]} → {shown[1]}"
    return said


def _plain(value: Any) -> Any:
    """As it comes out of a JSON column."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value
