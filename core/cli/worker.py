"""`python -m core worker`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The worker takes its settings from the environment."""


def main(options: argparse.Namespace) -> int:
    from core.worker.__main__ import main as work

    return work()
