"""Faults that take longer than a test may: run by hand, each module is a command."""
