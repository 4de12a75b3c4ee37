"""The customer messages: hand-written frames by category, composed, roughened and given a few planted flaws."""
