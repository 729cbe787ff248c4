"""How a cell's number looks under its format code: 3.75%, £1,250.50, 08:30, 004051 (ECMA-376, part 1, §18.8.31)."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)[^\]]*\]|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
DIGITS = re.compile(r"[0#?](?:[0#?,.]| (?=[0#?]))*")
EPOCH_1900, EPOCH_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
SECONDS_A_DAY = 86_400


def format_code(number_format_id: int, codes: dict[int, str]) -> str:
    """The code of a format; `codes` are the workbook's own."""
    return codes.get(number_format_id) or BUILTIN_FORMATS.get(number_format_id, "General")


def shown(value: str, code: str, *, is_1904: bool) -> str:
    """The number as a person reads it; as it is stored where the code is not understood."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if code in ("General", "@"):
        return _plain(number)
    if is_timedelta_format(code):
        return _duration(number)
    if is_date_format(code):
        return _date(number, code, is_1904=is_1904)
    return _number(number, code)


def _plain(number: Decimal) -> str:
    # Fifteen digits are what a spreadsheet keeps; the rest is the noise of binary fractions.
    rounded = Decimal(f"{number:.15g}")
    text = f"{rounded.normalize():f}"
    return "0" if text == "-0" else text


def _duration(number: Decimal) -> str:
    seconds = int((number * SECONDS_A_DAY).to_integral_value(ROUND_HALF_UP))
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(seconds, 3_600)
    return f"{sign}{hours}:{rest // 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")


def _date(number: Decimal, code: str, *, is_1904: bool) -> str:
    """ISO 8601, whose order of day and month nobody can mistake, with what the code shows of it."""
    seconds = int((number * SECONDS_A_DAY).to_integral_value(ROUND_HALF_UP))
    days = seconds // SECONDS_A_DAY
    # Day 60 of 1900 never was: the days before it are numbered one higher than they should be.
    first = EPOCH_1904 if is_1904 else EPOCH_1900 + timedelta(days=1 if 0 < days < 60 else 0)
    try:
        moment = first + timedelta(seconds=seconds)
    except OverflowError:
        return _plain(number)
    parts = QUOTED.sub("", code).lower()
    time = f"{moment:%H:%M:%S}" if moment.second and "s" in parts else f"{moment:%H:%M}"
    has_day, has_time = bool(re.search("[yd]", parts)), "h" in parts or "s" in parts
    if not has_day and not has_time:
        return f"{moment:%B}"
    if "d" not in parts and "y" in parts and "m" in parts:
        return f"{moment:%Y-%m}"
    if parts.strip() in ("yyyy", "yy"):
        return f"{moment:%Y}"
    return " ".join([f"{moment:%Y-%m-%d}"] * has_day + [time] * has_time)


def _number(number: Decimal, code: str) -> str:
    section, number = _section(code, number)
    before, pattern, after = _split(section)
    if pattern is None:
        return before.strip() or _plain(number)
    if "/" in section and "?" in section:
        return _plain(number)
    if re.search(r"e[+-]", section, re.IGNORECASE):
        return f"{number:E}"
    scaled = number * 100 if "%" in section else number
    scaled /= 1000 ** (len(pattern) - len(pattern.rstrip(", "))) if pattern.rstrip(" ").endswith(",") else 1
    sign = "-" if scaled < 0 else ""
    return f"{before}{sign}{_digits(abs(scaled), pattern.rstrip(', '))}{after}".strip()


def _section(code: str, number: Decimal) -> tuple[str, Decimal]:
    """The part of the code for this sign: positive; negative; zero. A negative part writes its own sign."""
    parts = code.split(";")
    if number < 0 and len(parts) > 1 and parts[1]:
        return parts[1], -number
    if number == 0 and len(parts) > 2 and parts[2]:
        return parts[2], number
    return parts[0], number


@lru_cache(maxsize=512)
def _split(section: str) -> tuple[str, str | None, str]:
    """Literal text before the digits, their pattern, literal text after."""
    kept: list[str] = []

    def literal(found: re.Match[str]) -> str:
        kept.append(found[1] or found[2] or found[3] or "")
        return f"\x00{len(kept) - 1}\x01"

    def restored(text: str) -> str:
        return re.sub("\x00(\\d+)\x01", lambda found: kept[int(found[1])], text)

    bare = QUOTED.sub(literal, section)
    # The numbers of the placeholders are no digits of a pattern: those are 0, # and ?.
    masked = re.sub("\x00\\d+\x01", lambda found: "\x00" * len(found[0]), bare)
    digits = DIGITS.search(masked)
    if digits is None:
        return restored(bare), None, ""
    return restored(bare[: digits.start()]), digits[0], restored(bare[digits.end() :])


def _digits(number: Decimal, pattern: str) -> str:
    whole, _, fraction = pattern.replace(" ", "").partition(".")
    rounded = number.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    integer, _, decimals = text.partition(".")
    optional = len(fraction) - len(fraction.rstrip("#?"))
    while optional and decimals.endswith("0"):
        decimals, optional = decimals[:-1], optional - 1
    integer = integer.zfill(whole.count("0"))
    return f"{integer}.{decimals}" if decimals else integer
