"""The output filter: its order of work, what fools it and what does not, and what is measured of it."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from core.data import output_filter, personal_data
from core.data.lexicon import load_lexicon
from core.data.output_filter import MASK, Filtered, OutputFilter
from core.data.safe_patterns import UnsafePattern, made_safe
from core.mitigations import registry
from core.schemas.errors import UserError
from core.schemas.output_filter import FilterRule, FilterRules

PLUGIN = registry()["output_filter"]


def words(*entries: str, name: str = "rude", action: Any = "mask", replacement: str = "") -> FilterRule:
    return FilterRule(name=name, entries=entries, action=action, replacement=replacement)


def pattern(*entries: str, name: str = "pattern", action: Any = "mask", replacement: str = "") -> FilterRule:
    return FilterRule(name=name, kind="pattern", entries=entries, action=action, replacement=replacement)


def guard(*rules: FilterRule, **more: Any) -> OutputFilter:
    return PLUGIN.guard(FilterRules(rules=rules, **more))


def done(text: str, *rules: FilterRule, **more: Any) -> Filtered:
    return guard(*rules, **more).apply(text)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("You idiot, go.", f"You {MASK}, go."),
        ("IDIOT!", f"{MASK}!"),
        ("an idiot's work", f"an {MASK}'s work"),
        ("*idiot* and _idiot_", f"*{MASK}* and _{MASK}_"),
        ("idiotic", "idiotic"),
        ("megaidiot", "megaidiot"),
        ("idiot2", "idiot2"),
        ("an-idiot-too", f"an-{MASK}-too"),
    ],
)
def test_a_word_is_found_as_a_whole_word_only(text: str, shown: str) -> None:
    assert done(text, words("idiot")).text == shown


def test_a_star_stands_for_further_letters_of_the_word() -> None:
    assert done("idiots, idiotic ideas, idle", words("idiot*")).text == f"{MASK}, {MASK} ideas, idle"
    assert done("a megaidiot", words("*idiot")).text == f"a {MASK}"


def test_the_words_of_a_phrase_may_be_parted_by_blanks_and_hyphens_but_by_no_sentence() -> None:
    rule = words("go home now")
    assert done("Go  home-now!", rule).text == f"{MASK}!"
    assert done("Go\u00a0home\nnow", rule).text == MASK
    assert not done("We go. Home now", rule).hits


def test_scripts_without_blanks_are_searched_inside_a_run_of_letters_and_vowel_signs_belong_to_a_word() -> None:
    assert done("我是傻瓜吗", words("傻瓜")).text == f"我是{MASK}吗"
    assert not done("हिन्दी", words("हिन्द")).hits
    assert done("यह हिन्दी है", words("हिन्दी")).text == f"यह {MASK} है"


# -- tricks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trick",
    [
        "ｉｄｉｏｔ",  # full width
        "𝓲𝓭𝓲𝓸𝓽",  # mathematical letters
        "id\u200biot",  # a blank without width
        "id\u00adiot",  # a soft hyphen
        "\u202eidiot\u202c",  # writing direction
        "іdіоt",  # Cyrillic letters that look alike
        "idiοt",  # a Greek one
        "i\u0336d\u0336i\u0336o\u0336t\u0336",  # struck through by marks
        "idi\ufe0fot",
    ],
)
def test_a_word_in_disguise_is_found_and_its_whole_disguise_goes(trick: str) -> None:
    result = done(f"You {trick}!", words("idiot"))
    assert re.sub("[\u202c\u202e]", "", result.text) == f"You {MASK}!"


def test_words_of_another_script_are_no_disguise_and_accents_count_unless_one_says_so() -> None:
    assert not done("оса и сор", words("oca", "cop")).hits  # all Cyrillic: a wasp and litter
    assert not done("das ist schön", words("schon")).hits
    assert done("das ist schön", words("schon"), ignore_accents=True).text == f"das ist {MASK}"


def test_what_no_rule_finds_is_returned_to_the_letter() -> None:
    text = "Ünïcode ﬁ ４２ \u200b\u202e kept e\u0301 \t\r\n"
    result = done(text, words("idiot"))
    assert result == Filtered(text) and result.sentence() == ""


def test_only_the_find_is_changed_in_a_text_that_normalising_would_change() -> None:
    assert done("ﬁne ½ idiot ｏｋ", words("idiot")).text == f"ﬁne ½ {MASK} ｏｋ"


# -- allowed phrases, overlaps, actions --------------------------------------------------------------------------------


def test_an_allowed_phrase_wins_over_every_rule_inside_it_and_over_nothing_beside_it() -> None:
    rules = (words("pride", "gay"), pattern(r"gay \w+", name="p"))
    assert done("gay pride", *rules, allow=("Gay Pride",)).text == "gay pride"
    assert done("gay pride and pride", *rules, allow=("gay pride",)).text == f"gay pride and {MASK}"
    mail = done("write to help@shop.example or me@home.example", allow=("help@shop.example",), personal=("email",))
    assert mail.text == "write to help@shop.example or [email]"


def test_an_allowed_phrase_does_not_open_what_reaches_beyond_it() -> None:
    assert done("attack the gay pride", pattern(r"attack the gay pride"), allow=("gay pride",)).text == MASK
    assert done("me@shop.example", allow=("shop",), personal=("email",)).text == "[email]"


def test_overlapping_finds_become_one_place_and_the_strongest_action_decides() -> None:
    mask, swap = words("bad apple", name="a"), words("apple pie", name="b", action="replace", replacement="cake")
    result = done("a bad apple pie here", mask, swap)
    assert result.text == "a cake here" and set(result.rules) == {"a", "b"}
    refuse = words("apple", name="c", action="refuse")
    assert done("a bad apple pie here", mask, swap, refuse, refusal="No.").text == "No."


def test_neighbouring_finds_stay_two() -> None:
    assert done("idiot idiot", words("idiot")).text == f"{MASK} {MASK}"


def test_a_refusal_shows_nothing_of_the_answer_and_names_its_rule() -> None:
    result = done("the secret is 42", words("secret", name="secrets", action="refuse"), refusal="I cannot say that.")
    assert (result.text, result.refused, result.rules) == ("I cannot say that.", True, ("secrets",))
    assert result.sentence() == "This answer was refused by the rule “secrets”."


def test_the_sentence_names_every_rule_and_kinds_of_personal_data_in_words() -> None:
    result = done("idiot, mail a@b.example", words("idiot"), personal=("email",))
    assert result.sentence() == "Parts of this answer were filtered by the rules “rude”, “e-mail addresses”."


# -- personal data -----------------------------------------------------------------------------------------------------

PERSONAL = {
    "email": "write to anna.b@mail.example now",
    "phone": "call +49 171 2345678 now",
    "card": "card 4111 1111 1111 1111 now",
    "iban": "pay to DE89 3704 0044 0532 0130 00 now",
    "ssn": "number 123-45-6789 now",
    "ip": "from 93.184.216.34 now",
    "key": "use AKIAABCDEFGHIJKLMN01 now",
    "address": "at 12 Baker Street now",
    "birth": "born 12.03.1980 now",
}


def test_every_kind_of_personal_data_has_an_example_here() -> None:
    assert set(PERSONAL) == set(personal_data.EVERY)


@pytest.mark.parametrize("kind", PERSONAL)
def test_personal_data_is_masked_by_its_kind_and_only_where_it_is_asked_for(kind: Any) -> None:
    text = PERSONAL[kind]
    result = done(text, personal=(kind,))
    assert f"[{kind}]" in result.text and result.rules == (kind,)
    others = tuple(k for k in personal_data.EVERY if k != kind)
    assert kind not in done(text, personal=others).rules
    assert done(text, personal=(kind,), personal_action="refuse").refused


def test_numbers_with_wrong_check_digits_are_left_alone_and_full_width_digits_are_read() -> None:
    assert not done("card 4111 1111 1111 1112", personal=("card",)).hits
    assert not done("DE88 3704 0044 0532 0130 00", personal=("iban",)).hits
    assert done("４１１１ １１１１ １１１１ １１１１", personal=("card",)).text == "[card]"


# -- patterns ----------------------------------------------------------------------------------------------------------


def test_a_pattern_is_found_on_word_boundaries_in_any_case() -> None:
    rule = pattern(r"order\s*#?\d+", action="replace", replacement="an order")
    assert done("Order #12 and reorder 13, order 14x", rule).text == "an order and reorder 13, order 14x"


@pytest.mark.parametrize(
    "evil",
    [
        r"(a+)+b", r"(a|a)+b", r"(a|ab)*c", r"(\w+\s?)+x", r"(.*)*x", r"(x+x+)+y", r"\w*\w*\w*x", r"((a{1,9}){1,9}){1,9}b",
        r"(?:a?){40}a{40}", r"(a)\1", r"(?=(a+)+b)a", r"(a{0,50}){50}b", r".*.*.*x", r"(?i)a", r"(", r"a*", r"x{100,}y",
        r"(?:ab?)+(?:ab?)+c", "a" * 201,
    ],
)  # fmt: skip
def test_a_pattern_that_could_take_for_ever_or_finds_everything_is_refused_with_its_rule_and_reason(evil: str) -> None:
    with pytest.raises(UserError) as error:
        guard(pattern(evil, name="mine"))
    assert "“mine”" in error.value.title and len(error.value.cause) > len(evil[:80]) + 20


@pytest.mark.parametrize(
    ("safe", "text", "found"),
    [
        (r"\d+", "no 123.", "123"),
        (r"(?:\d{1,3}\.){3}\d{1,3}", "at 10.0.0.1!", "10.0.0.1"),
        (r"kill(?:s|ed|ing)? (?:him|her|them)self", "he killed himself", "killed himself"),
        (r"(?:[a-z]+ )+end", "go to the end", "go to the end"),
        (r"[]x*]+", "a ]* b", "]*"),
        (r"https?://\S+", "see https://a.example/b?c", "https://a.example/b?c"),
        (r"\w+@\w+\.\w+", "to a@b.cd", "a@b.cd"),
        (r"colou?r", "Colour", "Colour"),
    ],
)
def test_an_ordinary_pattern_is_taken_and_finds_what_it_found_before(safe: str, text: str, found: str) -> None:
    assert re.search(safe, text, re.IGNORECASE).group() == found  # type: ignore[union-attr]
    assert [hit.found for hit in guard(pattern(safe)).find(text)] == [found]


def test_any_number_means_at_most_64() -> None:
    assert made_safe(r"a+b*?c{2,}d?[+*]\+") == r"a{1,64}b{0,64}?c{2,64}d?[+*]\+"
    with pytest.raises(UnsafePattern, match="more than 64"):
        made_safe("a{65,}")


# -- coming to rest ----------------------------------------------------------------------------------------------------

RULES = FilterRules(
    rules=(
        words("idiot*", "email", "shut up"),
        pattern(r"order #\d+", action="replace", replacement="an order"),
        words("secret plan", name="plans", action="refuse"),
    ),
    allow=("shut up and dance",),
    personal=("email", "phone", "card"),
)


@pytest.mark.parametrize(
    "text",
    [
        "You idiots: order #12, mail a@b.example, +49 171 2345678.",
        "a@b.example email shut up and dance, shut up",
        "our secret plan",
        "harmless",
        "",
        "ｉｄｉｏｔ 4111 1111 1111 1111",
    ],
)
def test_filtering_what_was_filtered_changes_nothing(text: str) -> None:
    made = PLUGIN.guard(RULES)
    once = made.apply(text)
    assert not made.find(once.text)
    assert made.apply(once.text).text == once.text


def test_a_text_that_never_comes_to_rest_is_refused() -> None:
    plain = {"rules": [{"name": "r", "kind": "words", "entries": ["a"], "action": "replace", "replacement": "a a"}]}
    assert OutputFilter(plain, personal_data.spans).apply("a b").refused


def test_a_replacement_that_the_filter_would_find_again_is_refused_when_it_is_written() -> None:
    with pytest.raises(UserError, match="would be filtered itself"):
        guard(words("idiot", action="replace", replacement="Another idiot"))
    with pytest.raises(UserError, match="The refusal"):
        guard(words("sorry"), refusal="Sorry, no.")


def test_two_rules_of_one_name_and_lines_without_letters_are_refused_in_words() -> None:
    with pytest.raises(UserError, match="same name"):
        guard(words("a"), words("b"))
    with pytest.raises(UserError, match="cannot be read"):
        guard(words("*"))


@pytest.mark.parametrize("module", [output_filter, personal_data])
def test_what_goes_with_an_export_imports_the_standard_library_alone(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


# -- what is measured --------------------------------------------------------------------------------------------------


def test_recall_and_false_alarms_carry_n_and_an_interval_and_name_the_texts_behind_them() -> None:
    rules = FilterRules(rules=(words("idiot*"), words("secret", name="secrets", action="refuse")))
    report = PLUGIN.measure(
        rules,
        red=["you idiots", "you fool", "a secret"],
        clean=["the plan is no secret", *(f"answer {i}" for i in range(19))],
        samples=["fine"] * 10,
    )
    assert (report.recall.value, report.recall.n) == (pytest.approx(2 / 3), 3)
    assert report.recall.low < 2 / 3 < report.recall.high and report.missed == ("you fool",)
    assert (report.clean.value, report.clean.n) == (0.05, 20)
    [changed] = report.changed
    assert changed.before == "the plan is no secret" and changed.refused and changed.rules == ("secrets",)
    assert report.samples.value == 0 and report.samples.high > 0.1
    assert report.by_rule == {"rude": {"red": 1}, "secrets": {"red": 1, "clean": 1}}


def test_without_texts_nothing_is_claimed() -> None:
    report = PLUGIN.measure(FilterRules(rules=(words("idiot"),)))
    assert report.recall is report.clean is report.samples is None
    assert any("red list is empty" in line for line in report.not_tested)


def test_a_rule_that_hits_harmless_sentences_about_one_group_is_shown_for_that_group() -> None:
    lexicon = load_lexicon()
    about = {("religion", "muslim"): ["A Muslim wrote to us.", "Nothing of it."]}
    report = PLUGIN.measure(FilterRules(rules=(words("muslim*"),)), lexicon=lexicon, about=about)
    rates: dict[str, Any] = {group.group: group for group in report.groups}
    assert rates["muslim"].probes.value == 1 and rates["muslim"].probes.n >= 30 and rates["muslim"].example
    assert rates["muslim"].own is not None and (rates["muslim"].own.value, rates["muslim"].own.n) == (0.5, 2)
    assert (
        rates["christian"].probes.value == 0 and rates["christian"].probes.high > 0 and rates["christian"].own is None
    )


def test_in_a_language_without_everyday_sentences_only_the_data_s_own_answers_are_tried() -> None:
    elsewhere = load_lexicon().model_copy(update={"language": "xx"})
    about = {("religion", "muslim"): ["A Muslim wrote to us."]}
    [rate] = PLUGIN.measure(FilterRules(rules=(words("muslim*"),)), lexicon=elsewhere, about=about).groups
    assert (rate.group, rate.probes, rate.worst) == ("muslim", None, 1.0) and rate.own is not None and rate.own.n == 1
