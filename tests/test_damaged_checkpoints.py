"""Checkpoints that are cut, changed or half-written: each is found out, none is loaded, and none has a final name."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import tiny_training as tiny
from tiny_training import Diary

from core.atomic import MANIFEST, is_whole
from core.schemas.errors import DiskFull, UserError
from core.schemas.training import TrainingSpec
from core.training import predictors
from core.training.checkpoints import newest_whole_checkpoint
from core.training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")
DAMAGES = 100


@pytest.fixture(scope="module")
def trained(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingSpec:
    """A finished training that has three checkpoints: the best one and two later ones."""
    spec = tiny.spec_of(
        "classifier, LoRA", tmp_path_factory.mktemp("run"), small_model, rows=24, epochs=2, keep_checkpoints=3
    )
    train(spec, Diary())
    return spec


def flip(file: Path, chance: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def cut(file: Path, chance: random.Random) -> None:
    os.truncate(file, chance.randrange(file.stat().st_size))


def lose(file: Path, chance: random.Random) -> None:
    file.unlink()


def damaged(folder: Path, seed: int) -> str:
    """Damage one file of the folder, the manifest included. Returns what was done."""
    chance = random.Random(seed)
    file = chance.choice(sorted(p for p in folder.iterdir() if p.stat().st_size))
    how: Callable[[Path, random.Random], None] = chance.choice([flip, flip, cut, cut, lose])
    how(file, chance)
    return f"{how.__name__} {file.name}, seed {seed}"


def steps(folder: Path) -> list[int]:
    return sorted(int(p.name.split("-")[1]) for p in (folder / "checkpoints").glob("checkpoint-*"))


def test_a_hundred_damaged_checkpoints_are_all_found_out_and_passed_over(trained: TrainingSpec, tmp_path: Path) -> None:
    whole = steps(Path(trained.folder))
    assert len(whole) >= 3
    for seed in range(DAMAGES):
        folder = tmp_path / str(seed)
        shutil.copytree(Path(trained.folder) / "checkpoints", folder / "checkpoints")
        newest = folder / "checkpoints" / f"checkpoint-{whole[-1]}"
        done = damaged(newest, seed)
        found = newest_whole_checkpoint(folder)
        assert found is not None and found[1] == whole[-2], done
        assert steps(folder) == whole[:-1], f"{done}: the damaged one stayed"
        shutil.rmtree(folder)


def test_a_model_that_was_damaged_after_it_was_finished_is_not_loaded_but_refused(
    trained: TrainingSpec, tmp_path: Path
) -> None:
    predictors.tuned(trained.folder, trained.plan)
    for seed in range(20):
        folder = tmp_path / str(seed)
        shutil.copytree(Path(trained.folder) / "model", folder / "model")
        done = damaged(folder / "model", seed)
        with pytest.raises(UserError) as error:
            predictors.tuned(folder, trained.plan)
        assert "damaged" in error.value.title, done


def test_where_every_checkpoint_is_damaged_the_training_begins_anew_and_loads_none(
    trained: TrainingSpec, tmp_path: Path
) -> None:
    shutil.copytree(Path(trained.folder) / "checkpoints", tmp_path / "checkpoints")
    for step in steps(tmp_path):
        damaged(tmp_path / "checkpoints" / f"checkpoint-{step}", step)
    assert newest_whole_checkpoint(tmp_path) is None
    assert steps(tmp_path) == []


def limits_of(folder: Path) -> list[int]:
    """Limits on the size of a file that cut the longest file of a checkpoint or of the model, then the two longest, and so on."""
    sizes = {p.stat().st_size for p in (*folder.glob("checkpoints/*/*"), *folder.glob("model/*"))}
    return [size - 1 for size in sorted(sizes, reverse=True) if size > 1]


def test_a_limit_on_file_size_never_leaves_a_part_under_a_final_name(trained: TrainingSpec, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = limits_of(Path(trained.folder))
    chosen = [*limits[:: max(1, len(limits) // 4)], limits[-1]]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in chosen:
        folder = tmp_path / str(limit)
        spec = trained.model_copy(update={"folder": str(folder)})
        said = StringIO()  # the file that collects a test's output would meet the limit too
        with redirect_stdout(said), redirect_stderr(said):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            try:
                with pytest.raises(DiskFull):
                    train(spec, Diary())
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
        left = [*folder.glob("checkpoints/*"), *folder.glob("model")]
        assert all(is_whole(place) for place in left), f"at most {limit} bytes: {[p.name for p in left]}"
        assert not [p for p in left if p.name.startswith(".")], "a part was left behind"
        shutil.rmtree(folder)


def test_the_manifest_names_every_file_of_a_checkpoint(trained: TrainingSpec) -> None:
    for place in (Path(trained.folder) / "checkpoints").iterdir():
        named = json.loads((place / MANIFEST).read_text())
        assert named.keys() == {p.name for p in place.iterdir()} - {MANIFEST}
