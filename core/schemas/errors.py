"""The one error that a person sees: what happened, why, and what to do about it."""

from __future__ import annotations

import errno

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """An error with a cure. `title` says what happened, `cause` why, `fix` what to press or change.

    `action` optionally names a key of a fix that a screen can offer as a button (for example `smaller_batch`).
    """

    def __init__(self, title: str, cause: str, fix: str, action: str | None = None) -> None:
        super().__init__(f"{title} {cause} {fix}")
        self.title, self.cause, self.fix, self.action = title, cause, fix, action

    def as_dict(self) -> dict[str, str | None]:
        return {"title": self.title, "cause": self.cause, "fix": self.fix, "action": self.action}

    @classmethod
    def from_dict(cls, data: dict[str, str | None]) -> UserError:
        return cls(data["title"] or "", data["cause"] or "", data["fix"] or "", data.get("action"))


class DiskFull(UserError):
    """A file could not be written for lack of space. Work that meets this does not fail: it waits until there is space."""

    ACTION = "free_space"

    def __init__(self) -> None:
        super().__init__(
            "Paused: the disk is full.",
            "A file could not be written. Everything that was saved before is whole.",
            "Free some space, for example by deleting a project. It goes on by itself when 500 MB more are free, or sooner "
            "when you press Resume.",
            self.ACTION,
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether the system refused a write for lack of space (full disk, quota, or the largest size of a file)."""
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in NO_SPACE)
