"""One setting of a pydantic model as one Streamlit widget. `core/ui/forms.py` puts them together."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.data.in_words import number_text
from core.discovery import discover

Level = Literal["basic", "advanced"]


@dataclass(frozen=True)
class Setting:
    """What a form needs to know about a field, read once from its declaration.

    `kind` is the bare type; `many` says that the value is a collection of them. `options` maps each allowed value to
    its title (empty: free input). `plugins` are those that the options stand for. `when` maps another field to the
    values under which this one matters, or to traits that its plug-in must have.
    """

    name: str
    title: str
    help: str
    kind: type
    many: bool = False
    optional: bool = False
    empty_title: str = "Not set"
    level: Level = "basic"
    unit: str = ""
    options: Mapping[Any, str] = field(default_factory=dict)
    suggestions: tuple[Any, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)
    plugins: Mapping[str, Any] = field(default_factory=dict)
    when: Mapping[str, Sequence[Any] | Mapping[str, Any]] = field(default_factory=dict)
    default: Any = None

    @property
    def label(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


def describe(name: str, info: FieldInfo) -> Setting | None:
    """Read a field's declaration, or return None for a nested model, which has a form of its own.

    Metadata, all optional, in `Field(json_schema_extra={...})`: `level` ("basic" or "advanced"), `unit`, `options`
    ({value: title}), `suggestions` (a list; the person may still type another value), `empty` (title of None, for
    example "Automatic"), `when` ({field: [values]} or {field: {trait: value}}: drawn only then), `plugins` (the package
    whose plug-ins are the options), `form` (False: None is returned, for the field is shown in another way). Raises
    TypeError for a type no widget fits.
    """
    extra: dict[str, Any] = dict(info.json_schema_extra) if isinstance(info.json_schema_extra, Mapping) else {}
    if extra.get("form") is False:
        return None
    annotation, metadata = _unwrap(info.annotation, list(info.metadata))
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        optional = len(inner) < len(get_args(annotation))
        if len(inner) != 1:
            raise TypeError(f"field {name!r}: no widget fits {annotation}")
        annotation, metadata = _unwrap(inner[0], metadata)
    many = get_origin(annotation) in (list, tuple, set, frozenset)
    if many:
        annotation = next(a for a in get_args(annotation) if a is not Ellipsis)
    values: tuple[Any, ...] = ()
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        annotation = type(values[0])
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        values = tuple(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None
    if not (isinstance(annotation, type) and (values or issubclass(annotation, bool | int | float | str | Path))):
        raise TypeError(f"field {name!r}: no widget fits {info.annotation}")
    plugins = discover(extra["plugins"]) if "plugins" in extra else {}
    titles = {key: plugin.title for key, plugin in plugins.items()} or extra.get("options", {})
    bounds = {n: getattr(m, n) for m in metadata for n in ("ge", "gt", "le", "lt", "multiple_of") if hasattr(m, n)}
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    options = {v: titles.get(v) or _sentence_case(str(getattr(v, "value", v))) for v in values} if values else titles
    return Setting(
        name=name,
        title=info.title or _sentence_case(name),
        help=_help(info.description or "", annotation, bounds),
        kind=annotation,
        many=many,
        optional=optional,
        empty_title=extra.get("empty", "Not set"),
        level=extra.get("level", "basic"),
        unit=extra.get("unit", ""),
        options=options,
        suggestions=tuple(extra.get("suggestions", ())),
        bounds=bounds,
        plugins=plugins,
        when=extra.get("when", {}),
        default=default,
    )


def setting_field(
    setting: Setting,
    value: Any,
    key: str,
    *,
    disabled: bool = False,
    on_change: Callable[[], None] | None = None,
) -> Any:
    """Draw the widget that fits and return what it holds now, not yet validated.

    `value` is only used when the key is new to the session; afterwards the session's value counts (see `forms.fill`).
    """
    if key not in st.session_state:
        st.session_state[key] = to_widget(setting, value)
    common: dict[str, Any] = {
        "key": key,
        "help": setting.help or None,
        "disabled": disabled,
        "on_change": on_change if on_change else "rerun",
    }
    if setting.many:
        free = not setting.options
        choices = list(setting.options) or _with(setting.suggestions, *(st.session_state[key] or ()))
        return st.multiselect(
            setting.label, choices, format_func=_titled(setting), accept_new_options=free,
            placeholder=setting.empty_title if setting.optional else "Choose", **common,
        )  # fmt: skip
    if setting.kind is bool and not setting.optional:
        return st.toggle(setting.label, **common)
    if setting.options:
        return _choice(setting, common)
    if setting.suggestions:
        # A list of good values that still takes any other: the only widget in which 2e-5 can be both picked and typed.
        choices = _with(setting.suggestions, st.session_state[key])
        picked = st.selectbox(
            setting.label, choices, index=None, format_func=_titled(setting), accept_new_options=True,
            placeholder=setting.empty_title if setting.optional else "Choose or type", **common,
        )  # fmt: skip
        return parse_number(picked, setting.kind) if setting.kind in (int, float) else picked
    if setting.kind is int:
        step = int(setting.bounds.get("multiple_of", 1))
        return st.number_input(setting.label, value=None, step=step, placeholder=_placeholder(setting), **common)
    if setting.kind is float and not _tiny(setting):
        return st.number_input(
            setting.label, value=None, step=_step(setting), format="%g", placeholder=_placeholder(setting), **common
        )
    typed = st.text_input(setting.label, value=None, placeholder=_placeholder(setting), **common)
    if setting.kind is float:
        return parse_number(typed, float)
    return typed or (None if setting.optional else "")


def to_widget(setting: Setting, value: Any) -> Any:
    """A model's value in the form its widget keeps it."""
    if setting.many:
        return [] if value is None else list(value)
    if setting.kind is bool and not setting.optional:
        return bool(value)
    if setting.options:
        # A draft may hold a choice that no longer exists; the widget would refuse it.
        return value if value in setting.options or (value is None and setting.optional) else setting.default
    if value is None:
        return value
    if setting.kind is float and not setting.suggestions:
        return number_text(value) if _tiny(setting) else float(value)
    return value if setting.kind in (int, float) else str(value)


def parse_number(text: Any, kind: type) -> Any:
    """Read "2e-5" or "0,0001" as a number, nothing as None; other text comes back unread, for validation to refuse."""
    if not isinstance(text, str):
        return text
    cleaned = text.strip().replace("−", "-").replace(" ", "")
    if cleaned.count(",") == 1 and "." not in cleaned:
        cleaned = cleaned.replace(",", ".")
    if not cleaned:
        return None
    try:
        number = float(cleaned)
    except ValueError:
        return text
    return int(number) if kind is int and number.is_integer() else number


def _choice(setting: Setting, common: dict[str, Any]) -> Any:
    choices = [None, *setting.options] if setting.optional else list(setting.options)
    titled = _titled(setting)
    # Half a column of a small laptop holds about 33 letters, of which each choice takes 5 for its edges.
    if len(choices) <= 4 and sum(len(titled(c)) + 5 for c in choices) <= 33:
        return st.segmented_control(setting.label, choices, format_func=titled, required=True, **common)
    return st.selectbox(setting.label, choices, format_func=titled, **common)


def _titled(setting: Setting) -> Callable[[Any], str]:
    def title(value: Any) -> str:
        if value is None:
            return setting.empty_title
        return setting.options.get(value, number_text(value))

    return title


def _with(choices: Sequence[Any], *present: Any) -> list[Any]:
    """The suggestions and, in its place, whatever is chosen now."""
    extra = [v for v in present if v is not None and v not in choices]
    every = [*choices, *extra]
    numbers = all(isinstance(v, int | float) for v in every)
    return sorted(every) if numbers and extra else every


def _unwrap(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = metadata + more
    return annotation, metadata


def _sentence_case(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _help(description: str, kind: Any, bounds: Mapping[str, float]) -> str:
    """The description, with the bounds in words behind it."""
    if kind not in (int, float) or not bounds:
        return description
    words = []
    if "ge" in bounds and "le" in bounds:
        words.append(f"From {number_text(bounds['ge'])} to {number_text(bounds['le'])}")
    else:
        names = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        limits = [f"{names[n]} {number_text(v)}" for n, v in bounds.items() if n in names]
        words += [" and ".join(limits).capitalize()] if limits else []
    if "multiple_of" in bounds:
        words.append(f"in steps of {number_text(bounds['multiple_of'])}")
    return f"{description} {', '.join(words)}.".strip()


def _placeholder(setting: Setting) -> str | None:
    return setting.empty_title if setting.optional else None


def _tiny(setting: Setting) -> bool:
    """Whether the usual values are too small for a field with plus and minus buttons."""
    usual = [v for v in (setting.default, setting.bounds.get("le"), setting.bounds.get("lt")) if v]
    return setting.kind is float and bool(usual) and abs(usual[0]) < 1e-3


def _step(setting: Setting) -> float:
    """A tenth of the default's order of magnitude, or of 0.1 where there is none: 0.05 moves by 0.01, 1.0 by 0.1."""
    if "multiple_of" in setting.bounds:
        return float(setting.bounds["multiple_of"])
    size = abs(float(setting.default or 0.1))
    exponent = math.floor(math.log10(size))
    return 10.0 ** (exponent - (1 if size == 10.0**exponent else 0))
