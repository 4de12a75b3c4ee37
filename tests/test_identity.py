"""The identity lexicon finds words for people, and leaves alone words that only look like it."""

from __future__ import annotations

import pytest

from core.data.identity import find_terms, groups_in
from core.data.lexicon import Axis, Group, TermSet, languages, load_lexicon
from core.data.probes import CONTROL, load_templates, probes
from core.schemas.errors import UserError


def found(text: str) -> list[tuple[str, str]]:
    return [(match.group, match.term) for match in find_terms(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She gave him the book.", [("woman", "She"), ("man", "him")]),
        ("Applicant, a woman of 58.", [("woman", "woman")]),
        ("My brothers and my mother's car.", [("man", "brothers"), ("woman", "mother")]),
        ("Mr Smith and Ms. Jones called.", [("man", "Mr"), ("woman", "Ms")]),
        ("I spoke to Emily.", [("woman", "Emily"), ("english_name", "Emily")]),
        ("I spoke to Mark about it.", [("man", "Mark")]),
        ("My mother-in-law called.", [("woman", "mother-in-law")]),
        ("As a Muslim, I agree.", [("muslim", "Muslim")]),
        ("Muslims and Jews met.", [("muslim", "Muslims"), ("jewish", "Jews")]),
        ("The muslim guest.", [("muslim", "muslim")]),
        ("A black gay taxi driver.", [("black", "black"), ("gay", "gay")]),
        ("African-American students", [("black", "African-American")]),
        ("An old man and young people.", [("old", "old"), ("man", "man"), ("young", "young")]),
        ("Wheelchair users and a blind customer.", [("wheelchair_user", "Wheelchair users"), ("blind", "blind")]),
        ("I am blind. She's deaf.", [("blind", "blind"), ("woman", "She"), ("deaf", "deaf")]),
        ("A guest is autistic; the customer is not deaf.", [("autistic", "autistic"), ("deaf", "deaf")]),
        ("The Polish plumber and a German.", [("polish", "Polish"), ("german", "German")]),
        ("The Chinese restaurant.", [("chinese", "Chinese")]),
        ("A straight couple and a lesbian.", [("straight", "straight"), ("lesbian", "lesbian")]),
        ("A non-binary guest, a trans person.", [("nonbinary", "non-binary"), ("transgender", "trans")]),
    ],
)  # fmt: skip
def test_words_for_people_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "You may mark the page in May.",
        "Mark the date. Will you come? Grace is needed.",
        "The bill will grant us hope and joy.",
        "The white paper came out on Black Friday.",
        "Go straight ahead past the white house with the black door.",
        "The wall is white, the shoes are black, the sign is blind.",
        "Turn a blind eye; it fell on deaf ears; love is blind.",
        "My old friend has an old manager account.",
        "Chinese food, French fries and a German car.",
        "Please polish the table. The North Pole is cold.",
        "I miss you, Paris. Miss the bus and you are late.",
        "You guys are great. Oh man! Man, this is bad.",
        "A man-made lake, a king-size bed, the mother tongue.",
        "He or she may apply; ladies and gentlemen; dear Sir or Madam.",
        "He/she signs his/her name.",
        "Write to she@her.com or see https://www.he.com/man #women @muslim.",
        "Christian Dior and Christian Bale.",
        "The {{woman}} placeholder and the <her> tag.",
        "The hotel on James Street near Thomas Hospital.",
        "Dr Thomas and Professor James called.",
        "trans fat, gender-neutral sheet, this theory, other mothership",
        "A disabled account and a blind date.",
        "They were old and their house was, too.",
    ],
)
def test_false_friends_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_positions_point_into_the_text() -> None:
    text = "Yesterday, the elderly Muslim woman thanked her son’s wife."
    for match in find_terms(text):
        assert text[match.start : match.end] == match.term


def test_the_longest_term_wins() -> None:
    assert found("His mother-in-law's sister-in-law") == [
        ("man", "His"), ("woman", "mother-in-law"), ("woman", "sister-in-law")
    ]  # fmt: skip


def test_only_the_axes_asked_for_are_searched() -> None:
    text = "The Muslim woman paid."
    assert groups_in(text, "religion") == {"muslim"}
    assert [match.axis for match in find_terms(text, ("gender",))] == ["gender"]


def test_awkward_texts_are_no_trouble() -> None:
    for text in ("", "…", "\n\n", "🙂", "she" * 5000, "her " * 2000, "\x00he\x00"):
        find_terms(text)


def test_the_lexicon_is_whole() -> None:
    lexicon = load_lexicon()
    keys = [axis.key for axis in lexicon.axes]
    assert {"gender", "ethnicity", "religion", "nationality", "age", "disability", "sexual_orientation"} <= set(keys)
    for axis in lexicon.axes:
        groups = {group.key for group in axis.groups}
        for term_set in axis.sets:
            assert set(term_set.terms) | set(term_set.variants) <= groups, (axis.key, term_set)
            # Only a noun can do without: "a blind person" stands in for "a wheelchair user".
            assert len(term_set.terms) >= 2 or term_set.kind == "noun" or not axis.swapped


def test_a_language_without_a_lexicon_is_refused_with_a_reason() -> None:
    assert {"en", "de", "es", "fr"} <= set(languages())
    with pytest.raises(UserError) as error:
        load_lexicon("xx")
    assert "“xx”" in error.value.cause and error.value.fix


def test_a_person_can_add_groups_of_their_own() -> None:
    own = Axis(
        key="region",
        title="Region",
        groups=(
            Group(key="north", title="northerners", adjective="northern"),
            Group(key="south", title="southerners", adjective="southern"),
        ),
        sets=(TermSet(kind="noun", terms={"north": ("northerner",), "south": ("southerner", "southerners")}),),
    )
    lexicon = load_lexicon().with_axes([own])
    matches = find_terms("She met two southerners.", lexicon=lexicon)
    assert [(match.axis, match.group) for match in matches] == [("gender", "woman"), ("region", "south")]
    assert find_terms("two southerners") == []
    assert {probe.group for probe in probes(["region"], 30, lexicon=lexicon)} == {"north", "south"}


def test_there_are_at_least_150_neutral_probes_in_many_domains() -> None:
    templates = load_templates().templates
    assert len(templates) >= 150 and len({template.text for template in templates}) == len(templates)
    assert len({template.id for template in templates}) == len(templates)
    assert len({template.domain for template in templates}) >= 10


def test_every_probe_names_its_group_and_nobody_else() -> None:
    for probe in probes(control=True):
        matches = {(match.axis, match.group) for match in find_terms(probe.text)}
        assert matches == (set() if probe.axis == CONTROL else {(probe.axis, probe.group)}), probe.text


def test_probes_of_a_template_differ_only_in_the_words_for_the_person() -> None:
    by_template: dict[tuple[str, str], set[str]] = {}
    for probe in probes():
        by_template.setdefault((probe.template_id, probe.axis), set()).add(probe.text[probe.split :])
    assert all(len(rests) == 1 for rests in by_template.values())


def test_articles_in_probes_fit_the_word_that_follows() -> None:
    texts = [probe.text for probe in probes(control=True)]
    assert not [text for text in texts if " a Indian" in text or " a elderly" in text or "An young" in text]
    assert any("An Indian" in text for text in texts) and any("A young" in text for text in texts)
