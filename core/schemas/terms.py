"""What a corrective action asks of the training, frozen when the run is made: settings, and what it says about single rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Schema


class TermSpec(Schema):
    """`key` names the action and its torch half in `core/training/terms`. The mappings are by row id; a row that is in none
    of them is trained as it would be without the action.

    `weights` multiply the loss of a row, `groups` name the group of people that a row is about, `twins` are texts that differ
    from the row's in the people only.
    """

    key: str
    config: Mapping[str, Any] = {}
    weights: Mapping[str, float] = {}
    groups: Mapping[str, str] = {}
    twins: Mapping[str, tuple[str, ...]] = {}
