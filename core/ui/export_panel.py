"""Exports: formats in plain words with size, the proof that each answers as it was tested, download, and how to use it."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import export_snippets, exports, status
from core.services.exports import Offer
from core.store.tables import Export, Run

from . import jobs, parts
from .file_download import file_download, size


def export_panel(run: Run) -> None:
    """What is being made, what there is, what it can be made as, and the card."""
    mine = [j for j in status.active_jobs(run.project_id) if j.kind is JobKind.EXPORT]
    if mine:
        jobs.watch(mine[0].id, f"Exporting: {exports.title(str(mine[0].payload['kind']))}")
    last = st.session_state.get(f"exporting-{run.id}")
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)
    made = exports.of_run(run.id)
    if made:
        st.markdown("##### Ready to take away")
        for export in made:
            _made(run, export)
    st.markdown("##### Formats")
    st.caption(
        "Every export is read again by another program and asked kept prompts. One that answers differently from what was "
        "tested is thrown away."
    )
    offers = exports.offers(run)
    for offer in offers:
        if not offer.refusal:
            _offer(run, offer, busy=bool(mine))
    refused = [offer for offer in offers if offer.refusal]
    if refused:
        with st.expander(f"Not offered for this model ({len(refused)})", icon=":material/block:"):
            for offer in refused:
                st.markdown(f"**{offer.format.title}** — {parts.plain(offer.refusal)}")
    opened = st.expander("Model card", key=f"card-of-{run.id}", icon=":material/description:", on_change="rerun")
    if opened.open:  # it is put together from the whole project
        with opened:
            card = exports.card(run)
            st.download_button("Download the card", card, "README.md", "text/markdown", key=f"card-{run.id}")
            st.code(card, language="markdown", height=360, wrap_lines=True)


def _offer(run: Run, offer: Offer, busy: bool) -> None:
    form = offer.format
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f"**{form.title}** · {form.audience} · about {size(offer.size)}")
        left.caption(form.help)
        if right.button("Export", key=f"export-{run.id}-{form.key}", width="stretch", disabled=busy):
            st.session_state[f"exporting-{run.id}"] = exports.submit(run, form.key)
            st.rerun()


def _made(run: Run, export: Export) -> None:
    archive = exports.packed(export.folder)
    with st.container(border=True):
        st.markdown(f"**{exports.title(export.kind)}** :material/verified:")
        st.caption(parts.plain(exports.proof(export)))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if archive.exists():
                file_download(
                    lambda: archive, archive.stat().st_size, archive.name, "application/zip", f"download-{export.id}"
                )
            else:
                st.caption("Its files are gone from the disk.")
            with st.popover("Delete", icon=":material/delete:"):
                st.caption("The files go from this machine. The model itself stays, and can be exported again.")
                if st.button("Delete this export", key=f"delete-{export.id}"):
                    exports.delete(export)
                    st.rerun()
        with st.expander("How to use it", icon=":material/code:"):
            for snippet in export_snippets.of(run, export.kind):
                st.caption(snippet.title)
                st.code(snippet.text, language=snippet.language, wrap_lines=True)
            st.caption("On this machine it lies here:")
            st.code(export.folder, language=None, wrap_lines=True)
