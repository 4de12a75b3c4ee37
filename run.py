#!/usr/bin/env python3
"""Start Tunewell: `python3 run.py`. All tests: `python3 run.py test`. Everything else is in `launcher/`."""

import sys

# Before any other import: this file must be readable by a Python that is too old, so that it can say so.
if sys.version_info < (3, 11):  # noqa: UP036
    found = sys.version.split()[0] + " (" + sys.executable + ")"
    sys.exit(
        "Tunewell needs Python 3.11 or newer, and this is Python " + found + ".\n"
        "Install a newer one from https://www.python.org/downloads/ and start again with it, for example:\n"
        "    python3.12 run.py"
    )

from launcher.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
