"""The one error that a person sees: what happened, why, and what to do about it."""

from __future__ import annotations


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
