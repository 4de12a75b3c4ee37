"""Models of the Hugging Face hub: fetched by the worker, pinned to a commit, safetensors only."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import HfApi, snapshot_download

# HTTPError is that of the HTTP library under the hub's client, whichever that is.
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from core.data.model_facts import read_facts
from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.schemas.models import ModelFacts
from core.store import jobs, records
from core.store.files import folder
from core.store.job_tokens import leave_token
from core.store.tables import BaseModel

NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md", "LICENSE*"]


def submit(project_id: str, name: str, revision: str, token: str) -> str:
    """Queue a fetch. The token goes to a file that only this person can read and is deleted when used."""
    if not NAME.fullmatch(name):
        raise UserError(
            "This is not a model's name.",
            f"{name!r} does not look like organisation/model.",
            "Copy the name from its page.",
        )
    payload = {"what": "model", "name": name, "revision": revision}
    return jobs.submit(JobKind.IMPORT, project_id, payload, prepare=lambda job_id: leave_token(job_id, token))


def fetch(name: str, revision: str, token: str | None) -> ModelFacts:
    """Download one commit's safe files and register the model (run by the worker).

    Raises UserError for an unknown or gated model, no network, or a model that is not safe to load.
    """
    with hub_errors("model", name, revision):
        commit = HfApi(token=token or False).model_info(name, revision=revision).sha or revision
        target = folder("models") / f"{name.replace('/', '--')}--{commit[:12]}"
        snapshot_download(name, revision=commit, token=token or False, allow_patterns=WANTED, local_dir=target)
    shutil.rmtree(target / ".cache", ignore_errors=True)
    facts = read_facts(target, f"hub:{name}@{commit[:12]}", "hub", commit, title=name)
    records.upsert(BaseModel(id=facts.key, facts=facts.model_dump(mode="json")))
    return facts


@contextmanager
def hub_errors(kind: str, name: str, revision: str) -> Iterator[None]:
    """What goes wrong with the hub, said in words. `kind` is "model" or "dataset"."""
    try:
        yield
    except GatedRepoError as error:
        raise UserError(
            f"This {kind} is gated.",
            "Its owners ask people to accept conditions first.",
            f"Accept them on the {kind}'s page, then fetch again with your access token.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UserError(
            f"There is no such {kind}.",
            f"The hub knows no {name} at {revision}, or it is private.",
            f"Check the name and the revision; a private {kind} needs an access token.",
        ) from error
    except (HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        raise UserError(
            "The hub could not be reached.",
            f"There is no connection, or it answered with an error ({type(error).__name__}).",
            "Try again later, or copy a model folder to this machine and add it."
            if kind == "model"
            else "Try again later, or download the files yourself and upload them.",
        ) from error
