"""The words for groups of people in other languages, a person's own words, and the lists of friendly and unfriendly ones."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pytest
from databases import migrated

from core.data import group_tone
from core.data.counterfactual import examine, swaps
from core.data.identity import find_terms
from core.data.lexicon import languages, load_lexicon, require_swaps
from core.data.own_words import check, lexicon_for, own_axes, words_of
from core.data.probes import probes
from core.schemas.errors import UserError
from core.schemas.identity import OwnTerm, OwnWords, Removed
from core.services import identity_words, projects

ALL_AXES = {"gender", "ethnicity", "religion", "nationality", "age", "disability", "sexual_orientation", "social"}


def found(text: str, language: str, own: OwnWords | None = None) -> list[tuple[str, str]]:
    lexicon = lexicon_for(language, own or OwnWords())
    return [(m.group, m.term) for m in find_terms(text, lexicon=lexicon) if m.axis != "name_origin"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Die Lehrerin und der Lehrer sprachen.", [("woman", "Lehrerin"), ("man", "Lehrer")]),
        ("de", "Zwei Ärztinnen und ein alter Mann.", [("woman", "Ärztinnen"), ("old", "alter"), ("man", "Mann")]),
        ("de", "Den muslimischen Kindern half niemand.", [("muslim", "muslimischen")]),
        ("de", "Eine Blinde und ein Gehörloser kamen.", [("blind", "Blinde"), ("deaf", "Gehörloser")]),
        ("de", "Mein Bruder ist schwul.", [("man", "Bruder"), ("gay", "schwul")]),
        ("de", "Menschen mit Behinderungen und Obdachlose", [("disabled", "mit Behinderungen"), ("homeless", "Obdachlose")]),
        ("fr", "La directrice et le directeur parlent.", [("woman", "directrice"), ("man", "directeur")]),
        ("fr", "Une femme musulmane et des juifs.", [("woman", "femme"), ("muslim", "musulmane"), ("jewish", "juifs")]),
        ("fr", "L'Allemand et les Noirs.", [("man", "Allemand"), ("german", "Allemand"), ("black", "Noirs")]),
        ("fr", "Il est aveugle. Elle est très pauvre.", [("blind", "aveugle")]),
        ("fr", "Les personnes âgées et les riches.", [("old", "personnes âgées"), ("rich", "riches")]),
        ("es", "La profesora y el profesor hablan.", [("woman", "profesora"), ("man", "profesor")]),
        ("es", "Mi medico es el señor Ruiz.", [("man", "medico"), ("man", "señor")]),
        ("es", "Una mujer negra y los judíos.", [("woman", "mujer"), ("black", "negra"), ("jewish", "judíos")]),
        ("es", "Ella está en silla de ruedas.", [("woman", "Ella"), ("wheelchair_user", "en silla de ruedas")]),
        ("es", "Las personas mayores y los mexicanos.", [("old", "personas mayores"), ("mexican", "mexicanos")]),
        ("zh", "她是一位女医生，残疾人。", [("woman", "她"), ("woman", "女医生"), ("disabled", "残疾人")]),
    ],
)  # fmt: skip
def test_words_and_their_endings_are_found(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Die Lehrer streiken, und die Meinung der Lehrer zählt."),
        ("de", "Damen und Herren, liebe Kundinnen und Kunden, alle Lehrer*innen."),
        ("de", "Der schwarze Hund, das Weiße Haus, ein altes Auto, deutsche Autos."),
        ("de", "Wir spielen Blinde Kuh. Er war da, sie auch."),
        ("de", "Der arme Kerl von Motor ist kaputt."),
        ("fr", "Les professeurs font grève."),
        ("fr", "Mesdames et messieurs, un chat noir dort dans une vieille maison."),
        ("fr", "La vie étudiante, la ligne directrice, la voiture allemande."),
        ("fr", "Il pleut rue Victor Hugo ; elle est cassée."),
        ("es", "Los profesores están en huelga."),
        ("es", "Señoras y señores, el gato negro y la comida mexicana."),
        ("es", "El alemán es difícil. Vivo en la calle Carmen."),
        ("es", "La investigación científica y la atención médica."),
        ("zh", "其他的书很好，他们都喜欢。"),
    ],
)
def test_a_plural_that_means_everybody_and_words_for_things_are_left_alone(language: str, text: str) -> None:
    people = {"man", "Kerl"}
    assert [hit for hit in found(text, language) if not set(hit) & people or "Kerl" not in text] == []


TARGETS = {
    "women": ("gender", {"woman"}), "trans people": ("gender_identity", {"transgender"}), "Muslims": ("religion", {"muslim"}),
    "gay people": ("sexual_orientation", {"gay"}), "black people": ("ethnicity", {"black"}), "jews": ("religion", {"jewish"}),
    "disabled people": ("disability", {"disabled"}), "refugees": ("migration", {"refugee", "immigrant"}),
}  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.parametrize(("language", "name"), [("de", "german"), ("fr", "french"), ("es", "spanish")])
def test_public_test_cases_name_their_group(shared_data: Path, language: str, name: str) -> None:
    """Multilingual HateCheck: what is not found are slurs, misspelled words and plurals without an article."""
    hits: dict[str, list[bool]] = {}
    path = shared_data / "multilingual_hatecheck" / f"hatecheck_cases_final_{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            target = row["target_ident"]
            matches = find_terms(row["test_case"], lexicon=load_lexicon(language))
            if target in TARGETS:
                axis, groups = TARGETS[target]
                hits.setdefault(target, []).append(any(m.axis == axis and m.group in groups for m in matches))
            elif not target:
                hits.setdefault("", []).append(not matches)
    shares = {target: sum(found) / len(found) for target, found in hits.items()}
    assert len(shares) >= 6 and min(shares.values()) > 0.65, shares
    assert shares[""] > 0.9


def test_accents_as_signs_of_their_own_are_read_and_places_point_into_the_text() -> None:
    text = unicodedata.normalize("NFD", "Según él, la médica… perdón: una jubilada y el señor Núñez.")
    matches = find_terms(text, lexicon=load_lexicon("es"))
    assert [text[m.start : m.end] for m in matches] == [m.term for m in matches]
    assert {"jubilada", "señor"} <= {unicodedata.normalize("NFC", m.term) for m in matches}


@pytest.mark.parametrize("language", languages())
def test_every_list_is_whole(language: str) -> None:
    lexicon = load_lexicon(language)
    assert {axis.key for axis in lexicon.axes} >= ALL_AXES
    assert lexicon.swaps == (language == "en") and (lexicon.swaps or lexicon.note)
    for axis in lexicon.axes:
        groups = {group.key for group in axis.groups}
        named = {group for term_set in axis.sets for group, _ in term_set.sources()}
        assert len(groups) == len(axis.groups) and named == groups, (axis.key, groups ^ named)
        for pattern in (*axis.ignore, *axis.asymmetric):
            re.compile(pattern)
        by_words: dict[tuple[str, ...], set[str]] = {}
        for alike in (group for found in lexicon.entries.values() for group in found if group[0].axis == axis.key):
            for entry in alike:
                if entry.term_set.case_of(entry.group) == "free" and entry.kind != "name" and entry.term.islower():
                    by_words.setdefault(entry.words, set()).add(entry.group)
        assert {words: g for words, g in by_words.items() if len(g) > 1} == {}, axis.key


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_texts_of_other_languages_are_not_rewritten(language: str) -> None:
    with pytest.raises(UserError, match="not rewritten"):
        require_swaps(load_lexicon(language))
    with pytest.raises(ValueError, match="must not be swapped"):
        examine("x", lexicon=load_lexicon(language))


def test_poor_and_rich_are_found_but_not_swapped() -> None:
    assert [m.group for m in find_terms("Wealthy customers and poor people.")] == ["rich", "poor"]
    assert swaps("Wealthy customers and poor people.") == [] and found("That poor man.", "en") == [("man", "man")]
    assert not [probe for probe in probes() if probe.axis in ("social", "name_origin")]


# Own words


REGION = OwnWords(
    terms=(
        OwnTerm(axis="Region", group="northerners", forms=("northerner", "northerners")),
        OwnTerm(axis="Region", group="northerners", forms=("northern",), kind="adjective"),
        OwnTerm(axis="Region", group="southerners", forms=("southerner", "southerners")),
        OwnTerm(axis="Region", group="southerners", forms=("southern",), kind="adjective"),
        OwnTerm(axis="nationality", group="Kenyans", forms=("Kenyan",), kind="adjective"),
    ),
    removed=(Removed(axis="gender", word="guy"),),
)


def test_own_groups_are_found_swapped_and_put_into_neutral_sentences() -> None:
    lexicon = check("en", REGION)
    assert own_axes(lexicon) == ("own_region",)
    matches = find_terms("Two southerners met a Kenyan nurse and a northern guy.", lexicon=lexicon)
    assert [m.group for m in matches] == ["own_southerners", "own_kenyans", "own_northerners"]
    assert [s.text for s in swaps("A southern customer wrote.", ("own_region",), lexicon)] == [
        "A northern customer wrote."
    ]
    assert [s.text for s in swaps("Two southerners wrote.", ("own_region",), lexicon)] == ["Two northerners wrote."]
    swapped = {s.text for s in swaps("A Kenyan nurse wrote.", ("nationality",), lexicon)}
    assert "A French nurse wrote." in swapped
    assert "A Kenyan nurse wrote." in {s.text for s in swaps("A French nurse wrote.", ("nationality",), lexicon)}
    sentences = {probe.group for probe in probes(("own_region", "nationality"), 30, lexicon=lexicon)}
    assert {"own_northerners", "own_southerners", "own_kenyans"} <= sentences
    assert found("Two southerners", "en") == []  # ours is as it was


def test_a_word_that_was_struck_out_is_neither_found_nor_put_in() -> None:
    own = OwnWords(removed=(Removed(axis="gender", word="he"), Removed(axis="religion", word="atheist")))
    assert found("He came, and she, and an atheist.", "en", own) == [("woman", "she")]
    assert swaps("She came.", ("gender",), lexicon_for("en", own)) == []
    assert "atheist" not in " ".join(s.text for s in swaps("A Muslim guest.", ("religion",), lexicon_for("en", own)))
    german = OwnWords(removed=(Removed(axis="gender", word="lehrerin"),))
    assert found("Die Lehrerinnen und die Ärztin.", "de", german) == [("woman", "Ärztin")]


def test_own_words_work_where_there_is_no_list_of_ours() -> None:
    own = OwnWords(terms=(OwnTerm(axis="Gender", group="women", forms=("donna", "donne")),))
    assert found("Due donne e un gatto.", "it", own) == [("own_women", "donne")]
    with pytest.raises(UserError):
        lexicon_for("it")


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (OwnTerm(axis="", group="x", forms=("word",)), "no kind of group"),
        (OwnTerm(axis="Region", group=" ", forms=("word",)), "no group"),
        (OwnTerm(axis="Region", group="x", forms=()), "no word"),
        (OwnTerm(axis="Region", group="x", forms=("a",)), "nearly everywhere"),
        (OwnTerm(axis="Region", group="x", forms=("the",)), "hold every sentence together"),
        (OwnTerm(axis="Region", group="x", forms=("12",)), "letters"),
        (OwnTerm(axis="Region", group="x", forms=("a+b",)), "letters"),
        (OwnTerm(axis="Region", group="x", forms=("y" * 61,)), "limit"),
        (OwnTerm(axis="Gender", group="men", forms=("woman",)), "stands for women already"),
    ],
)
def test_a_word_that_cannot_be_used_is_refused_with_its_line_and_reason(term: OwnTerm, said: str) -> None:
    good = OwnTerm(axis="Region", group="northerners", forms=("northerner",))
    with pytest.raises(UserError) as error:
        check("en", OwnWords(terms=(good, term)))
    assert "Line 2" in error.value.title and said in error.value.cause and error.value.fix


def test_what_a_person_changed_is_kept_with_the_project_by_language_and_goes_with_a_copy(storage: Path) -> None:
    migrated()
    project = projects.create("Words", "classification")
    identity_words.save(project.id, "en", REGION)
    with pytest.raises(UserError):
        identity_words.save(project.id, "en", OwnWords(terms=(OwnTerm(axis="", group="", forms=("x1",)),)))
    assert identity_words.of(project.id, "en") == REGION and identity_words.of(project.id, "de") == OwnWords()
    assert identity_words.of(projects.duplicate(project.id).id, "en") == REGION
    identity_words.save(project.id, "en", OwnWords())
    assert identity_words.all_of(projects.get(project.id)) == {}


def test_the_list_of_our_words_shows_each_once_with_its_group() -> None:
    rows = words_of(load_lexicon("de"), "gender")
    assert ("women", "Lehrerin", "noun") in rows and len(rows) == len(set(rows))


# Tone


@pytest.mark.parametrize(
    ("language", "text", "sign"),
    [
        ("en", "A kind and reliable nurse.", 1),
        ("en", "He is not reliable at all.", -1),
        ("en", "This is not bad. She was there.", 1),
        ("en", "The lazy thief lied.", -1),
        ("en", "The parcel came on Monday.", 0),
        ("de", "Die faulen Leute waren nicht nett.", -1),
        ("de", "Ein freundlicher und fleißiger Mann.", 1),
        ("fr", "Une femme gentille et courageuse.", 1),
        ("fr", "Ces menteurs sont dangereux.", -1),
        ("es", "Una chica simpática y honesta.", 1),
        ("es", "Los ladrones son peligrosos.", -1),
    ],
)
def test_the_tone_of_a_text(language: str, text: str, sign: int) -> None:
    tone = group_tone.load(language).tone(text)
    assert (tone > 0) - (tone < 0) == sign


@pytest.mark.parametrize("language", group_tone.languages())
def test_no_word_of_tone_names_a_group_or_is_both(language: str) -> None:
    words, lexicon = group_tone.load(language), load_lexicon(language)
    both = [(words.friendly, words.unfriendly), (words.unfriendly, words.friendly)]
    for mine, others in both:
        assert not set(mine) & set(others)
    names = {e.words[0] for found in lexicon.entries.values() for alike in found for e in alike if len(e.words) == 1}
    assert set(words.values) & names == set()


def test_neutral_sentences_have_the_same_tone_for_every_group() -> None:
    tone: dict[tuple[str, str], set[int]] = {}
    for probe in probes(templates=25):
        tone.setdefault((probe.template_id, probe.axis), set()).add(group_tone.load("en").tone(probe.text))
    assert all(len(values) == 1 for values in tone.values())
