"""The process of one further device: `python -m core.training.follower FOLDER PART`, started by `ranks.joined` alone.

It takes the steps of the training in FOLDER/spec.json (or of its measurement) with the others and ends with the process that
started it. What it cannot do is left in FOLDER/error-RANK.json for rank 0 to say.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import traceback
from pathlib import Path

from core.schemas.errors import UserError
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec

PARTS = {"train": "core.training.train", "measure": "core.training.dry_run"}


def _end_with_rank_0() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)  # nothing to save: rank 0 writes the checkpoints


def main() -> None:
    threading.Thread(target=_end_with_rank_0, daemon=True).start()
    folder, number, status = Path(sys.argv[1]), 0, 0
    try:
        from .ranks import follow

        take_part = importlib.import_module(PARTS[sys.argv[2]]).take_part
        spec = TrainingSpec.model_validate_json((folder / "spec.json").read_bytes())
        number = follow()
        take_part(spec)
    except Interrupted:
        pass  # as rank 0 was asked to
    except UserError as error:
        (folder / f"error-{number}.json").write_text(json.dumps(error.as_dict()), encoding="utf-8")
        status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
