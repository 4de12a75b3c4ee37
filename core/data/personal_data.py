"""How personal data looks, with the checks (Luhn, modulo 97, address rules) that tell it from other numbers.

Every pattern is bounded and starts at a token's edge, so that a cell of a million letters is read in linear time.
The file goes with an exported model that has an output filter, so it imports the standard library alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

# Lengths of international bank account numbers by country (ISO 13616, SWIFT IBAN registry).
IBAN_LENGTHS = {
    code: length
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE IL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT", 26: "IS",
        27: "FR GR IT MC SM", 28: "AL AZ BY CY DO HU LB PL", 29: "BR PS QA UA", 30: "JO KW MU", 31: "MT SC",
    }.items()
    for code in codes.split()
}  # fmt: skip


def luhn(digits: str) -> bool:
    """Whether the last digit is right by Luhn's formula (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(found: str) -> bool:
    """A payment card: the first digits and the length of a known brand, and Luhn."""
    d = re.sub(r"\D", "", found)
    brand = (
        (len(d) in (13, 16, 19) and d[0] == "4")
        or (len(d) == 16 and ("51" <= d[:2] <= "55" or "2221" <= d[:4] <= "2720"))
        or (len(d) == 15 and d[:2] in ("34", "37"))
        or (len(d) == 16 and (d[:4] == "6011" or d[:2] == "65" or "644" <= d[:3] <= "649" or "3528" <= d[:4] <= "3589"))
        or (len(d) in (14, 16) and (d[:2] in ("36", "38", "39") or "300" <= d[:3] <= "305"))
        or (16 <= len(d) <= 19 and d[:2] == "62")
    )
    return brand and len(set(d)) > 1 and luhn(d)


def is_iban(found: str) -> bool:
    """The country's length, and the remainder 1 modulo 97 (ISO 13616). What follows the number is ignored."""
    text = found.replace(" ", "").upper()
    length = IBAN_LENGTHS.get(text[:2])
    if length is None or len(text) < length:
        return False
    text = text[:length]
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def is_ip(found: str) -> bool:
    """A usable address; times, version numbers and C++ names with colons are not."""
    if ":" in found and (sum(1 for part in found.split(":") if part) < 3 or not any(c.isdigit() for c in found)):
        return False
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def is_phone(found: str) -> bool:
    return 8 <= sum(c.isdigit() for c in found) <= 15


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    A text is searched only where it has one of the `hints` (lower case; none: where it has a digit). These plain tests
    rule most texts out at little cost.
    """

    key: str
    title: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    valid: Callable[[str], bool] = bool


KINDS = (
    Kind(
        "email",
        "e-mail addresses",
        re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b"),
        ("@",),
    ),
    Kind(
        "phone",
        "phone numbers",
        re.compile(
            r"(?<![\w+.-])(?<!\d )(?:\+\d{1,3}[ .-]?(?:\(0\))?(?:[ .-]?\(?\d{1,4}\)?){2,6}"
            r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}([.-])\d{3}\1\d{4}|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,4})(?![\w-])"
        ),
        valid=is_phone,
    ),
    # Ten or eleven digits alone may be an order number; with one of these words before them they are a phone number.
    Kind(
        "phone",
        "phone numbers",
        re.compile(
            r"(?is)\b(?:call|phone|tel|mobile|text|txt|sms|ring|contact|fax)\b"
            r".{0,40}?(?<![\w+.-])(?P<found>0[1-9]\d{8,9})(?!\d)"
        ),
        ("call", "phone", "tel", "mobile", "text", "txt", "sms", "ring", "contact", "fax"),
        is_phone,
    ),
    Kind("card", "payment cards", re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"), valid=is_card),
    Kind(
        "iban",
        "bank accounts",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        valid=is_iban,
    ),
    Kind(
        "ssn",
        "social security numbers",
        re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
    ),
    Kind("ip", "internet addresses", re.compile(r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"), valid=is_ip),
    Kind(
        "ip",
        "internet addresses",
        re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?:::?[0-9A-Fa-f]{1,4}){2,7}(?![\w:])"),
        (":",),
        is_ip,
    ),
    Kind(
        "key",
        "access keys or passwords",
        re.compile(
            r"\b(?:(?:sk|pk|rk)[-_](?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{16,200}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,80}"
            r"|hf_[A-Za-z0-9]{30,60}|xox[abprs]-[A-Za-z0-9-]{10,100}|AIza[0-9A-Za-z_-]{35}"
            r"|eyJ[\w-]{10,500}\.eyJ[\w-]{10,500}\.[\w-]{10,500})"
            r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"
            r"|(?i:\b(?:password|passwort|pwd)\s{0,2}(?:is|[:=])\s{0,2}(?=\S{0,30}\d)\S{6,64})"
        ),
        tuple("sk- sk_ pk- pk_ rk- rk_ akia ghp_ gho_ ghu_ ghs_ ghr_ hf_ xox aiza eyj private passw pwd".split()),
    ),
    Kind(
        "address",
        "street addresses",
        re.compile(
            r"\b\d{1,5}[A-Za-z]? (?:[A-Z][\w'’.-]{0,30} ){1,3}"
            r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd)\b"
            r"|\b[A-ZÄÖÜ][\wäöüß-]{2,30}(?:straße|strasse|gasse|weg) \d{1,4}[a-z]?\b"
        ),
        tuple("st ave road rd lane ln drive boulevard blvd straße strasse gasse weg".split()),
    ),
    Kind(
        "birth",
        "dates of birth",
        re.compile(
            r"(?i)\b(?:born|dob|date of birth|birthday|geboren)\b[^\n\d]{0,12}"
            r"(?:\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4})"
        ),
        ("born", "dob", "birth", "geboren"),
    ),
)
EVERY = tuple(dict.fromkeys(kind.key for kind in KINDS))
_DIGIT = re.compile(r"\d").search


def find_all(text: str) -> dict[str, str]:
    """The kinds of personal data in a text, each with the first place found."""
    found: dict[str, str] = {}
    digit = _DIGIT(text) is not None
    if not digit and "@" not in text and "-----" not in text:
        return found
    lower = text.lower()
    for kind in KINDS:
        if kind.key in found or not (any(h in lower for h in kind.hints) if kind.hints else digit):
            continue
        places = (m.groupdict().get("found") or m.group() for m in kind.pattern.finditer(text))
        match = next((place for place in places if kind.valid(place)), None)
        if match is not None:
            found[kind.key] = match
    return found


def spans(text: str, kinds: Collection[str] = EVERY) -> list[tuple[int, int, str]]:
    """(start, end, kind) of personal data in a text, in order and without overlap; of two readings the longer counts."""
    digit = any(map(str.isdigit, text))
    if not digit and "@" not in text and "-----" not in text:
        return []
    lower = text.lower()
    found: list[tuple[int, int, str]] = []
    for kind in KINDS:
        if kind.key not in kinds or not (any(h in lower for h in kind.hints) if kind.hints else digit):
            continue
        for match in kind.pattern.finditer(text):
            start, end = match.span("found" if "found" in match.groupdict() else 0)
            if kind.valid(text[start:end]):
                found.append((start, _iban_end(text, start) if kind.key == "iban" else end, kind.key))
    chosen: list[tuple[int, int, str]] = []
    for place in sorted(found, key=lambda p: (p[0] - p[1], p[0])):
        if all(place[1] <= start or place[0] >= end for start, end, _ in chosen):
            chosen.append(place)
    return sorted(chosen)


def _iban_end(text: str, start: int) -> int:
    """Where the account number ends: the pattern may take in a word that follows it."""
    left = IBAN_LENGTHS[text[start : start + 2].upper()]
    for place in range(start, len(text)):
        left -= text[place] != " "
        if not left:
            return place + 1
    return len(text)
