"""Library failures in a person's words: out of memory, full disk, shapes that do not fit. One place, each with a fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from safetensors import SafetensorError

from core.schemas.errors import DiskFull, UserError, is_disk_full
from core.schemas.recipe import Recipe

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
# Of torch.save: the last three, by where in the file the space ended.
NO_SPACE = ("no space left", "file too large", "inline_container.cc", "unexpected pos", "iostream error")


def out_of_memory(recipe: Recipe | None) -> UserError:
    if recipe is None:
        return UserError(
            "The machine ran out of memory.",
            "The model and one batch of texts did not fit together.",
            "Close other programs, shorten the maximum length, or choose a smaller base model.",
        )
    return UserError(
        "The machine ran out of memory.",
        f"The model, its gradients and one batch did not fit together at a batch size of {recipe.batch_size}.",
        "Halve the batch size and double the gradient accumulation (the result is the same), shorten the maximum length, "
        "or choose LoRA or a smaller base model.",
        "smaller_batch",
    )


@contextmanager
def translated(recipe: Recipe | None = None) -> Iterator[None]:
    """Turn known failures of the libraries inside the block into UserError; everything else passes unchanged."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory(recipe) from error
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull() from error
        raise
    except (RuntimeError, SafetensorError) as error:
        text = str(error).lower()
        if any(sign in text for sign in NO_MEMORY):
            raise out_of_memory(recipe) from error
        if any(sign in text for sign in NO_SPACE):
            raise DiskFull() from error
        raise
