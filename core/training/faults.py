"""Library failures in a person's words: out of memory, full disk, shapes that do not fit. One place, each with a fix."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.schemas.errors import UserError
from core.schemas.recipe import Recipe


def out_of_memory(recipe: Recipe | None) -> UserError:
    size = f" at a batch size of {recipe.batch_size}" if recipe else ""
    return UserError(
        "The machine ran out of memory.",
        f"The model, its gradients and one batch did not fit together{size}.",
        "Halve the batch size and double the gradient accumulation (the result is the same), shorten the maximum length, "
        "or choose LoRA or a smaller base model.",
        "smaller_batch",
    )


def disk_full() -> UserError:
    return UserError(
        "The disk is full.",
        "A checkpoint or result could not be written. Earlier checkpoints are whole.",
        "Free some space, then press resume.",
    )


@contextmanager
def translated(recipe: Recipe | None = None) -> Iterator[None]:
    """Turn known failures of the libraries inside the block into UserError; everything else passes unchanged."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory(recipe) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise disk_full() from error
        raise
    except RuntimeError as error:
        text = str(error).lower()
        if "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text:
            raise out_of_memory(recipe) from error
        if "no space left" in text or "enforce fail at" in text and "inline_container" in text:
            raise disk_full() from error
        raise
