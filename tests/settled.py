"""Imported last by the process that others are forked from: what it holds stays to the end, so that no copy looks through it."""

import gc

gc.collect()
gc.freeze()
