"""The fork server without its imports; each of its jobs runs the code that is its first argument."""

import sys

from core.worker import child, fork_server


def run_code() -> None:
    exec(sys.argv[1], {})


if __name__ == "__main__":
    child.main = run_code
    fork_server.import_all = lambda: None
    fork_server.main()
