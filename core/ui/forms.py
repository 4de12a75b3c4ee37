"""A form drawn from a pydantic model: one declaration gives the label, the tooltip, the bounds and the validation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any, Generic, Literal, TypeVar

import streamlit as st
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.data.in_words import number_text

from .fields import Level, Setting, describe, setting_field, to_widget

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class FormResult(Generic[M]):
    """`model` is the validated whole, or None while something is wrong. `values` is what the fields hold now (a draft
    that can be saved and passed in again), `errors` a sentence for each field at fault ("" for the form as a whole)."""

    model: M | None
    values: dict[str, Any]
    errors: dict[str, str]


def form(
    model: type[M],
    values: Mapping[str, Any],
    level: Level | Literal["all"] = "basic",
    key_prefix: str = "",
    *,
    columns: int = 2,
    disabled: bool = False,
    on_change: Callable[[], None] | None = None,
    without: Collection[str] = (),
) -> FormResult[M]:
    """Draw the fields of one level and validate the whole model; a sentence stands under each field at fault.

    Fields named in `without` are not drawn, because they mean nothing where the form stands.

    Fields of the other level keep what `values` holds, or their default. For both levels chain two calls:

        basic = form(Recipe, draft, "basic", "recipe")
        with st.expander("Advanced settings"):
            result = form(Recipe, basic.values, "advanced", "recipe")

    Widgets keep their own state in the session under `key_prefix`; to show other values in them use `fill`.
    """
    settings = settings_of(model)
    current = {name: values.get(name, s.default) for name, s in settings.items()}
    nested = {name: values[name] for name in model.model_fields if name not in settings and name in values}
    slots: dict[str, Any] = {}
    rows = _Rows(columns)
    for name, setting in settings.items():
        if level not in ("all", setting.level) or name in without or not _matters(setting, current, settings):
            continue
        with rows.cell(setting):
            current[name] = setting_field(
                setting, current[name], _key(key_prefix, name), disabled=disabled, on_change=on_change
            )
            slots[name] = st.empty()
    validated, errors = validate(model, {**current, **nested})
    whole = st.empty()
    for name, sentence in errors.items():
        if name in slots:
            slots[name].html(f'<p class="tw-field-error">{escape(sentence)}</p>')
    if "" in errors:
        whole.html(f'<p class="tw-field-error">{escape(errors[""])}</p>')
    return FormResult(validated, {**current, **nested}, errors)


def fill(model: type[BaseModel], values: Mapping[str, Any], key_prefix: str = "") -> None:
    """Show these values in the form's widgets, for example those of a preset.

    Call it before the form is drawn in a run, at best in the `on_click` of a button: Streamlit refuses to change a
    widget that this run has already drawn.
    """
    for name, setting in settings_of(model).items():
        if name in values:
            st.session_state[_key(key_prefix, name)] = to_widget(setting, values[name])


def validate(model: type[M], values: Mapping[str, Any]) -> tuple[M | None, dict[str, str]]:
    """The model, or None and one sentence a field ("" holds what concerns several fields)."""
    try:
        return model.model_validate(dict(values)), {}
    except ValidationError as invalid:
        errors: dict[str, str] = {}
        for error in invalid.errors():
            name = str(error["loc"][0]) if error["loc"] else ""
            errors.setdefault(name, sentence(error))
        return None, errors


@cache
def settings_of(model: type[BaseModel]) -> dict[str, Setting]:
    """The fields of a model that a form can draw, in their order. Nested models are left to a form of their own."""
    described = {name: describe(name, info) for name, info in model.model_fields.items()}
    return {name: setting for name, setting in described.items() if setting is not None}


def sentence(error: ErrorDetails) -> str:
    """pydantic's error in words for a person (its types: https://docs.pydantic.dev/latest/errors/validation_errors/)."""
    context: dict[str, Any] = error.get("ctx", {})
    kind = error["type"]
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return f"Must be {words} {number_text(context[limit])}."
    if kind.startswith("int_") or kind == "is_instance_of":
        return "Enter a whole number."
    if kind.startswith(("float_", "finite_", "decimal_")):
        return "Enter a number, for example 0.1 or 2e-5."
    if kind in ("literal_error", "enum"):
        return f"Choose one of these: {context['expected'].replace(' or ', ', ')}."
    if kind == "string_too_short":
        least = context["min_length"]
        return "Fill this in." if least == 1 else f"Enter at least {least} characters."
    if kind == "string_too_long":
        return f"Enter at most {context['max_length']} characters."
    if kind in ("too_short", "too_long"):
        return (
            f"Choose at least {context['min_length']}."
            if kind == "too_short"
            else f"Choose at most {context['max_length']}."
        )
    if kind in ("missing", "string_type", "bool_type", "bool_parsing"):
        return "Fill this in."
    if kind in ("value_error", "assertion_error"):
        return _as_sentence(str(context.get("error", error["msg"])))
    return _as_sentence(error["msg"])


_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _matters(setting: Setting, values: Mapping[str, Any], settings: Mapping[str, Setting]) -> bool:
    for other, wanted in setting.when.items():
        value = values.get(other)
        if isinstance(wanted, Mapping):
            plugin = settings[other].plugins.get(str(value))
            if any(getattr(plugin, trait, None) != wish for trait, wish in wanted.items()):
                return False
        elif value not in wanted:
            return False
    return True


def _key(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


class _Rows:
    """Cells from left to right, a new row of columns when one is full."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._free: list[Any] = []

    @contextmanager
    def cell(self, setting: Setting) -> Iterator[None]:
        if not self._free:
            self._free = list(st.columns(self._columns, gap="medium")) if self._columns > 1 else [st.container()]
        with self._free.pop(0):
            if setting.kind is bool and not setting.optional and self._columns > 1:
                st.space("small")  # the height of the label that the neighbouring fields have and a toggle has not
            yield
