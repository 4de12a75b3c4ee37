"""`python -m core migrate`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No settings."""


def main(options: argparse.Namespace) -> int:
    from core.store.migrate import migrate

    migrate()
    return 0
