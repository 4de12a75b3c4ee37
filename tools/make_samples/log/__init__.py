"""The log of an invented lighthouse: 48 short texts in one voice, all written by hand."""
