"""How well base models know a person's texts: comparable across tokenizers, measured by a job, kept, and used in the ranking."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from databases import migrated
from transformers import AutoModelForCausalLM

from core.schemas.jobs import Desired, JobKind
from core.schemas.knowing import Knowing
from core.schemas.recorder import Interrupted
from core.services import advice, datasets, knowing, models, preparation, projects
from core.services.models import STARTER_FOLDER
from core.store import jobs
from core.store.tables import Project
from core.training import loading
from core.training.knowing import of_pairs, of_texts
from core.ui.knowing import known_words
from core.worker.handlers import compare_job
from core.worker.recorder import JobRecorder
from tests import small_pairs

ENGLISH = [
    "The parcel has not arrived yet and nobody answers the telephone.",
    "Thank you for the quick help, everything works again!",
    "I would like to change the address of my order before it is sent.",
]
ROWS = [f"{text} That was on day {n} of the month." for n in range(15) for text in ENGLISH]


@pytest.fixture
def project(storage: Path) -> Project:
    migrated()
    made = projects.create("Messages", "completion")
    frame = pd.DataFrame({"row_id": [str(i) for i in range(len(ROWS))], "t": ROWS})
    datasets.add_version(made.id, frame, roles={"text": "t"}, title="t", origin={"kind": "import"})
    return projects.get(made.id)


def measured(project: Project, wish: Desired = Desired.RUN) -> dict[str, object]:
    """Do the job as the worker's child does."""
    job_id = knowing.submit(project)
    claimed = jobs.claim([JobKind.COMPARE], "me")
    assert claimed is not None and claimed[0].id == job_id
    recorder = JobRecorder(job_id, claimed[1], None, lost=lambda: None)
    if wish is not Desired.RUN:
        jobs.wish(job_id, wish)
        recorder.flush()
    return compare_job.run(claimed[0], recorder)


def test_every_token_counts_once_even_where_a_text_is_longer_than_the_model_reads(small_model: Path) -> None:
    short, long = "The parcel has not arrived.", " ".join(ENGLISH * 6)
    found = of_texts(str(small_model), [short, long])
    model = AutoModelForCausalLM.from_pretrained(small_model, dtype=torch.float32).eval()
    tokenizer = loading.tokenizer(small_model)
    for text, nll in zip((short, long), found.nll, strict=True):
        ids = [tokenizer.eos_token_id, *tokenizer.encode(text, add_special_tokens=False)]
        expected, context = 0.0, model.config.max_position_embeddings
        for begin in range(0, len(ids) - 1, context - 1):
            window = torch.tensor([ids[begin : begin + context]])
            with torch.no_grad():
                likely = model(input_ids=window).logits[0, :-1].log_softmax(-1)
            expected -= likely.gather(-1, window[0, 1:, None]).sum().item()
        assert len(tokenizer.encode(long)) > context
        assert nll == pytest.approx(expected, rel=1e-4)
    assert found.n_bytes == (len(short), len(long)) and found.lossy == 0


def test_a_random_model_needs_about_as_many_bits_as_its_vocabulary_says(small_model: Path) -> None:
    """Whatever is read: log2 of 400 pieces for each token."""
    found = of_texts(str(small_model), ENGLISH)
    tokens = sum(len(loading.tokenizer(small_model).encode(text, add_special_tokens=False)) for text in ENGLISH)
    assert sum(found.nll) / math.log(2) == pytest.approx(tokens * math.log2(400), rel=0.05)


def test_an_encoder_decoder_judges_the_second_text_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    folder = str(small_pairs.build(tmp_path / "bart", kind="bart"))
    found = of_pairs(folder, [("a parcel", "Where is it?"), ("a lamp", "It is bright.")])
    assert found.n_bytes == (12, 13) and all(nll > 0 for nll in found.nll)
    with pytest.raises(Exception, match="128 tokens"):
        of_pairs(folder, [("word " * 400, "Yes.")])


def test_the_job_measures_every_model_on_the_same_rows_and_the_ranking_says_why(
    project: Project, small_model: Path, tmp_path: Path
) -> None:
    # A larger model than the starter that knows nothing: by size alone it would be recommended.
    folder = tmp_path / "large"
    shutil.copytree(STARTER_FOLDER, folder)
    config = loading.AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = 5
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    large = models.add_folder(str(folder))
    assert advice.for_project(project)[0].facts.key == large.key, "nothing is known yet, and it is the largest"
    assert measured(project) == {"measured": 2}
    found = advice.for_project(projects.get(project.id))
    assert [a.facts.key for a in found] == ["starter", large.key]
    best, other = (a.known for a in found)
    assert best and best.bits and other and other.bits and other.more and other.more.low
    assert (best.standing, other.standing) == ("best", "worse")
    assert best.bits.n == other.bits.n == len(ROWS), "the same rows"
    assert best.bits.low < best.bits.value < best.bits.high < other.bits.low  # type: ignore[operator]
    assert "knows your texts best" in found[0].reason
    assert "more than the lowest" in " ".join(known_words(other))
    with pytest.raises(Exception, match="nothing to measure"):
        knowing.submit(project)
    # Another version with the same texts asks the same; one with others asks anew.
    frame = datasets.frame(datasets.current(project))  # type: ignore[arg-type]
    datasets.add_version(project.id, frame.assign(t=[f"{t} Bye." for t in frame["t"]]), roles={"text": "t"}, title="t",
                         origin={})  # fmt: skip
    changed = projects.get(project.id)
    assert len(knowing.to_measure(changed, datasets.current(changed))) == 2


def test_rows_of_the_test_set_choose_no_model(project: Project) -> None:
    before = knowing.sample(project, datasets.current(project))
    plan = preparation.save(project, preparation.first_plan(datasets.current(project)))  # type: ignore[arg-type]
    held = {ROWS[int(row)] for row, part in preparation.assignment(plan).items() if part == "test"}
    after = knowing.sample(project, datasets.current(project))
    assert before and after and held & set(before.texts) and not held & set(after.texts)


def test_a_cancel_is_obeyed_and_a_broken_model_does_not_keep_the_others(project: Project, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        measured(project, Desired.CANCEL)
    folder = tmp_path / "broken"
    shutil.copytree(STARTER_FOLDER, folder)
    models.add_folder(str(folder))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"llama"', '"unheard-of"'))
    measured(project)
    known = {Path(a.facts.folder).name: a.known for a in advice.for_project(project)}
    broken, whole = known["broken"], known[STARTER_FOLDER.name]
    assert broken and broken.bits is None and "cannot be loaded" in broken.why
    assert whole and whole.bits and whole.standing == "", "alone it is compared with none"


def test_an_encoder_says_why_it_has_none(project: Project) -> None:
    encoder = models.starter().model_copy(update={"key": "bert", "causal": False})
    found = knowing.of(knowing.sample(project, datasets.current(project)), [encoder], "classifier")
    assert found["bert"].bits is None and "from both sides" in found["bert"].why
    assert "not measured" in known_words(found["bert"])[0]


def test_too_large_a_model_is_not_loaded(project: Project) -> None:
    huge = models.starter().model_copy(update={"parameters": 10**15})
    assert "GB are free" in knowing.too_large(huge) and knowing.too_large(models.starter()) == ""
    asked = knowing.sample(project, datasets.current(project))
    assert asked is not None
    knowing.keep(models.starter(), asked, Knowing(why=knowing.too_large(huge)))
    assert [f.key for f in knowing.to_measure(project, datasets.current(project))] == ["starter"], "it may fit later"
