"""The builder of the output filter: rules that a person writes, tried at once, measured, and kept as versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import streamlit as st

from core.data import toxicity
from core.data.personal_data import KINDS
from core.schemas.output_filter import FilterRule, FilterRules, PersonalKind
from core.services import output_filters
from core.store.tables import FilterVersion, Run

from . import parts
from .output_filter_check import check_panel, try_panel

ACTIONS = {"mask": "Mask", "replace": "Replace", "refuse": "Refuse"}
PERSONAL_TITLES = {kind.key: kind.title for kind in KINDS}
FIELDS = FilterRules.model_fields
WORDS_HELP = "One word or phrase a line. idiot* also finds idiots and idiotic. Capitals do not matter."
PATTERN_HELP = "One regular expression a line, for example order #?\\d+. Any number (+ or *) means at most 64."


def filter_note(sentence: str) -> None:
    """Under an answer: that it was filtered, and by which rule."""
    if sentence:
        st.caption(f":material/filter_alt: {parts.plain(sentence)}")


def guard_caption(run: Run) -> None:
    """Which filter guards the answers below."""
    version = output_filters.current(run) if output_filters.fits(run) else None
    if version is not None:
        st.caption(f":material/filter_alt: Output filter, version {version.number}, guards these answers.")


def filter_panel(run: Run) -> None:
    """Rules at the left, what they do to texts at the right, then the measurement and the button that makes them count."""
    if not output_filters.fits(run):
        st.info("This model gives categories or a number. An output filter is for models that write text.")
        return
    now = output_filters.current(run)
    _state(run, now)
    draft = _draft(run, now)
    left, right = st.columns([5, 3], gap="large")
    with left:
        _rules(run, draft)
        _more(run, draft)
    with parts.guard():
        rules = _as_rules(draft)
        with right:
            try_panel(run, rules)
        red_list = check_panel(run, rules, draft)
        _keep(run, rules, red_list, now)


def _state(run: Run, now: FilterVersion | None) -> None:
    every = output_filters.versions(run.project_id)
    if now is None:
        said = "No filter guards this model." if not every else "The filter is switched off."
        st.markdown(
            f"{said} Write rules, see at once what they do, and switch them on: they then act in the chat, in the served model "
            "and in every export made afterwards."
        )
        return
    where = "this round" if now.run_id else "every round of this project"
    count = len(output_filters.rules_of(now).rules)
    st.markdown(
        f":material/filter_alt: **Version {now.number} is on** for {where}: {count} rule{'' if count == 1 else 's'}"
        f"{', and personal data' if output_filters.rules_of(now).personal else ''}. "
        "It acts in the chat, in the served model and in every export made since."
    )


def _draft(run: Run, now: FilterVersion | None) -> dict[str, Any]:
    """What the form holds, kept while the person looks at other screens; at first the version that counts."""
    key = f"filter-draft-{run.id}"
    if key not in st.session_state:
        rules = output_filters.rules_of(now) if now else FilterRules()
        draft: dict[str, Any] = rules.model_dump(mode="json", exclude={"rules"})
        draft["rules"] = [rule.model_dump(mode="json") | {"uid": i} for i, rule in enumerate(rules.rules)]
        draft |= {"next": len(rules.rules), "red_list": list(now.red_list) if now else []}
        st.session_state[key] = draft
    return st.session_state[key]


def _rules(run: Run, draft: dict[str, Any]) -> None:
    st.markdown("**Rules**")
    for rule in list(draft["rules"]):
        with st.container(border=True):
            _rule(f"filter-{run.id}-{rule['uid']}", rule, lambda uid=rule["uid"]: _remove(draft, uid))  # type: ignore[misc]
    with st.container(horizontal=True):
        st.button("Add a rule", icon=":material/add:", key=f"filter-add-{run.id}", on_click=_add, args=(draft,))
        lexicon = output_filters.lexicon_for(run)
        language = lexicon.language if lexicon else "en"
        if language in toxicity.languages() and not any(rule["name"] == "rude words" for rule in draft["rules"]):
            st.button(
                "Add a list of rude words", key=f"filter-rude-{run.id}", on_click=_add_rude, args=(run, draft, language)
            )


def _rule(key: str, rule: dict[str, Any], remove: Callable[[], None]) -> None:
    name, action, bin_ = st.columns([4, 9, 2], vertical_alignment="bottom")
    rule["name"] = name.text_input("Name", rule["name"], max_chars=60, key=f"{key}-name")
    rule["action"] = action.segmented_control(
        "What happens", list(ACTIONS), default=rule["action"], format_func=ACTIONS.__getitem__, key=f"{key}-action",
        help="Mask: it becomes •••. Replace: it becomes your words. Refuse: the whole answer is held back.",
    ) or rule["action"]  # fmt: skip
    bin_.button("", icon=":material/delete:", key=f"{key}-remove", help="Remove this rule", on_click=remove)
    if rule["action"] == "replace":
        rule["replacement"] = st.text_input(
            "Words that take its place", rule["replacement"], max_chars=200, key=f"{key}-with"
        )
    pattern = rule["kind"] == "pattern"
    text = st.text_area(
        "Patterns, one a line" if pattern else "Words, one a line", "\n".join(rule["entries"]), height=90,
        key=f"{key}-entries", help=PATTERN_HELP if pattern else WORDS_HELP,
    )  # fmt: skip
    rule["entries"] = lines(text)
    rule["kind"] = "pattern" if st.checkbox("These are regular expressions", pattern, key=f"{key}-kind") else "words"
    if (rule["kind"] == "pattern") != pattern:
        st.rerun()


def _more(run: Run, draft: dict[str, Any]) -> None:
    draft["personal"] = st.multiselect(
        "Personal data", get_args(PersonalKind), draft["personal"], format_func=PERSONAL_TITLES.__getitem__,
        key=f"filter-personal-{run.id}", help=FIELDS["personal"].description,
    )  # fmt: skip
    if draft["personal"]:
        refuse = st.checkbox(
            "Refuse the whole answer where there is some", draft["personal_action"] == "refuse",
            key=f"filter-personal-action-{run.id}",
        )  # fmt: skip
        draft["personal_action"] = "refuse" if refuse else "mask"
    allow = st.text_area(
        "Always allowed, one phrase a line", "\n".join(draft["allow"]), height=68, key=f"filter-allow-{run.id}",
        help=FIELDS["allow"].description,
    )  # fmt: skip
    draft["allow"] = lines(allow)
    with st.expander("More"):
        draft["refusal"] = st.text_input(
            "In place of a refused answer", draft["refusal"], max_chars=300, key=f"filter-refusal-{run.id}",
            help=FIELDS["refusal"].description,
        )  # fmt: skip
        draft["ignore_accents"] = st.checkbox(
            str(FIELDS["ignore_accents"].title), draft["ignore_accents"], key=f"filter-accents-{run.id}",
            help=FIELDS["ignore_accents"].description,
        )  # fmt: skip


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _add(draft: dict[str, Any], **values: Any) -> None:
    number = len(draft["rules"]) + 1
    rule = FilterRule(name=f"rule {number}", entries=()).model_dump(mode="json")
    draft["rules"].append(rule | {"uid": draft["next"]} | values)
    draft["next"] += 1


def _add_rude(run: Run, draft: dict[str, Any], language: str) -> None:
    known = toxicity.load(language)
    _add(draft, name="rude words", entries=[word for words in known.words.values() for word in words])
    draft["allow"] = list(dict.fromkeys([*draft["allow"], *known.allow]))
    st.session_state[f"filter-allow-{run.id}"] = "\n".join(draft["allow"])  # else the field shows what it held before


def _remove(draft: dict[str, Any], uid: int) -> None:
    draft["rules"] = [rule for rule in draft["rules"] if rule["uid"] != uid]


def _as_rules(draft: dict[str, Any]) -> FilterRules:
    """The draft without rules that have nothing to find yet. A rule without a name gets one."""
    rules = [
        {k: v for k, v in rule.items() if k != "uid"} | {"name": rule["name"].strip() or f"rule {number}"}
        for number, rule in enumerate(draft["rules"], start=1)
        if rule["entries"]
    ]
    fields = {k: draft[k] for k in FilterRules.model_fields if k != "rules"}
    return FilterRules.model_validate({**fields, "rules": rules})


def _keep(run: Run, rules: FilterRules, red_list: list[str], now: FilterVersion | None) -> None:
    same = now is not None and output_filters.rules_of(now) == rules and list(now.red_list) == red_list
    where = st.radio(
        "It guards", ["every round of this project", "only this round"], horizontal=True, key=f"filter-where-{run.id}"
    )
    with st.container(horizontal=True):
        pressed = st.button(
            "Use these rules", type="primary", icon=":material/filter_alt:", disabled=rules.empty or same,
            key=f"filter-save-{run.id}",
        )  # fmt: skip
        off = now is not None and st.button("Switch the filter off", key=f"filter-off-{run.id}")
    this_round = where == "only this round"
    if pressed:
        with st.spinner("Measuring and saving"):
            output_filters.save(run, rules, red_list, this_round=this_round)
        st.rerun()
    if off and now is not None:
        output_filters.save(run, FilterRules(), red_list, this_round=now.run_id is not None)
        st.rerun()
    _history(run)


def _history(run: Run) -> None:
    every = output_filters.versions(run.project_id)
    if not every:
        return
    with st.expander(f"Versions ({len(every)})", icon=":material/history:"):
        for version in every:
            rules = output_filters.rules_of(version)
            what = ", ".join([rule.name for rule in rules.rules] + [PERSONAL_TITLES[k] for k in rules.personal])
            where = "one round" if version.run_id else "every round"
            st.markdown(f"**{version.number}** · {parts.plain(what) or 'switched off'} · {where}")
