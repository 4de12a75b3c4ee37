"""Push an export to the hub: what goes where, who may read it, and how far it is."""

from __future__ import annotations

import time

import streamlit as st

from core.services import exports, hub_push
from core.store.tables import Export, Run

from . import jobs, parts

FORMATS = ("merged", "adapter")  # what the hub's libraries load
NAMES = {"merged": "Whole model", "adapter": "Adapter only"}


def hub_push_panel(run: Run) -> None:
    """Below the exports: nothing leaves the machine before the button is pressed."""
    with st.expander("Push to the Hugging Face hub", icon=":material/cloud_upload:"), parts.guard():
        job = hub_push.last(run)
        if job and job.state.active:
            st.caption(f"To {hub_push.address(job.payload['repo'])}. Its files appear all at once, at the end.")
            jobs.watch(job.id, "Pushing")
            return
        found = {e.id: e for e in exports.of_run(run.id) if e.kind in FORMATS}
        if not found:
            st.info(
                "Export the whole model or the adapter first: what is pushed is an export that was tested.",
                icon=":material/info:",
            )
            return
        if job and job.error:
            jobs.failed(job)
        elif job and job.result:
            _arrived(job.result)
        _form(run, found)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} KB"


def _day(export: Export) -> str:
    return time.strftime("%d %b %Y, %H:%M", time.localtime(export.created_at))


def _arrived(result: dict[str, object]) -> None:
    seen = "only its owner can read it" if result["private"] else "everybody can read it"
    st.success(
        f"Pushed to [{result['repo']}]({result['url']}): {result['files']} files, commit `{str(result['commit'])[:12]}`, {seen}.",
        icon=":material/cloud_done:",
    )


def _form(run: Run, found: dict[str, Export]) -> None:
    key = f"push-{run.id}"
    left, right = st.columns(2)
    chosen = left.selectbox(
        "What",
        list(found),
        format_func=lambda i: f"{NAMES[found[i].kind]} · {_day(found[i])}",
        key=f"{key}-what",
    )
    name = right.text_input(
        "Name on the hub",
        placeholder="my-name/my-model",
        key=f"{key}-name",
        help="Owner and name. Without an owner it becomes yours.",
    )
    turn = st.session_state.get(f"{key}-turn", 0)
    token = left.text_input(
        "Access token",
        type="password",
        key=f"{key}-token-{turn}",
        help="One that may write, from huggingface.co/settings/tokens. Kept in a file that only you can read until the push is "
        "over, then deleted; never in the database, a log or an export.",
    )
    with right:
        public = st.toggle(
            "Everybody may read it", key=f"{key}-public", help="Off: a private repository, which only you can see."
        )
        replace = st.toggle(
            "Replace what the repository holds",
            key=f"{key}-replace",
            help="Only needed where the name exists and holds other files. Earlier versions stay in its history.",
        )
    pieces = hub_push.pieces(found[chosen])
    size = sum(piece.size for piece in pieces) / 1e6
    where = hub_push.address(hub_push.check_name(name)) if name.strip() else "the hub"
    who = "**everybody** will be able to read it" if public else "only its owner will be able to read it"
    st.caption(
        f":material/upload: {len(pieces)} files, {size:,.1f} MB, go from this machine to {where}; {who}. The model card "
        "names your project, its goal and your answers on responsible use; no row of your data is among the files."
    )
    st.dataframe(
        [{"file": piece.name, "size": _size(piece.size)} for piece in pieces],
        hide_index=True,
        width="stretch",
        height=180,
    )
    if st.button("Push", key=f"{key}-go", type="primary", disabled=not name.strip(), icon=":material/cloud_upload:"):
        hub_push.submit(found[chosen], name, token, private=not public, replace=replace)
        st.session_state[f"{key}-turn"] = turn + 1  # an empty field: the token has done its work here
        st.rerun()
    jobs.warn_without_worker()
