"""The installation in plain words: one progress line, and a cause and a fix where pip fails."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from launcher.console import ProgressLine, duration, tail
from launcher.pip_output import PipProgress, explain_failure


def test_the_progress_line_follows_pip() -> None:
    installed = 10
    progress = PipProgress(lambda: installed)
    seen = []
    for line in (
        "Collecting torch==2.13.0 (from -r requirements.txt (line 25))\n",
        "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (525.4 MB)\n",
        "  Using cached scikit_learn-1.9.1-cp311-cp311-linux_x86_64.whl (9 MB)\n",
        "Processing /wheels/safetensors-0.8.0-cp310-abi3-linux_x86_64.whl (from -r requirements.txt)\n",
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'\n",
        "  Building wheel for rouge_score (pyproject.toml): started\n",
        "Installing collected packages: a, b, c, d\n",
    ):
        progress.feed(line)
        seen.append(progress.text())
    installed = 13
    seen.append(progress.text())
    assert seen == [
        "looking for torch",
        "downloading torch 2.13.0, 525.4 MB",
        "scikit-learn 1.9.1 is on this computer already",
        "safetensors 0.8.0 is on this computer already",
        "the package index does not answer, trying again",
        "building rouge_score",
        "unpacking, 0 of 4 packages",
        "unpacking, 3 of 4 packages",
    ]


NO_NETWORK = """WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError(
'<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection: [Errno -3] Temporary
failure in name resolution')': /simple/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)
ERROR: No matching distribution found for torch==2.13.0"""


@pytest.mark.parametrize(
    ("output", "cause", "fix"),
    [
        (NO_NETWORK, "no network", "Connect to the internet"),
        (
            "ERROR: No matching distribution found for torch==2.13.0",
            "no torch==2.13.0 for this system",
            "another Python",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
            "GB",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "not be verified", "PIP_CERT"),
        ("ERROR: Failed building wheel for tokenizers", "no ready-made build", "3.12"),
        ("OSError: [Errno 13] Permission denied: '/x'", "could not be written", "Close other programs"),
        ("ERROR: something new", "error of its own", "last lines"),
    ],
)
def test_a_failed_installation_has_a_cause_and_a_fix(output: str, cause: str, fix: str) -> None:
    error = explain_failure(output, Path("logs") / "setup.log")
    assert cause in error.cause
    assert fix in error.fix
    assert "setup.log" in error.fix
    assert output.splitlines()[-1] in error.fix


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_the_progress_is_one_line_with_the_time_that_passed() -> None:
    now, out = 0.0, Terminal()
    line = ProgressLine(out, clock=lambda: now)
    line.show("Installing: a long name")
    now = 65.0
    line.show("Installing: b")
    line.end("Done")
    assert "\n" not in out.getvalue().rstrip("\n")
    assert "Installing: b (1 min 05 s)" in out.getvalue()


def test_in_a_file_the_progress_is_a_line_now_and_then() -> None:
    now, out = 0.0, io.StringIO()
    line = ProgressLine(out, clock=lambda: now)
    for second in range(31):
        now = float(second)
        line.show(f"step {second}")
    assert out.getvalue().splitlines() == ["step 0 (0 s)", "step 15 (15 s)", "step 30 (30 s)"]


def test_times_are_written_in_words() -> None:
    assert (duration(4.9), duration(59), duration(125)) == ("4 s", "59 s", "2 min 05 s")


def test_the_end_of_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == ""
