"""Two live charts in a fragment that ticks by itself; every tick adds a point."""

import streamlit as st

from core.ui.live_chart import Marker, Trace, live_chart


@st.fragment(run_every=0.4)
def curves() -> None:
    ticks = st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    x = list(range(1, 40 + ticks))
    training = Trace("Training", x, [2 / (1 + 0.1 * step) for step in x], "train")
    validation = Trace("Validation", x, [2.2 / (1 + 0.09 * step) for step in x], "validation")
    live_chart("loss", [training, validation], "Step", "Loss", events=[Marker(20, "Checkpoint")])
    live_chart("accuracy", [], "Step", "Accuracy", height=120, empty_reason="Accuracy is first measured at step 200.")
    speed = [Trace("<b>Speed</b>", x, x, "accent"), Trace("Average", x, [step / 2 for step in x])]
    with st.expander("Details"):
        live_chart("speed", speed, "Step", "Tokens a second", height=160)
    st.caption(f"{ticks} ticks")


if st.toggle("Show the curves", value=True):
    curves()
st.toggle("Something else")
