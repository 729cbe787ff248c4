"""Numbers in the ways of writing them that Word and PowerPoint offer for lists."""

ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
         (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
CHINESE_DIGITS = "零一二三四五六七八九"
CHINESE_UNITS = ("", "十", "百", "千")
CHINESE = ("chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand")
JAPANESE = ("japaneseCounting", "koreanCounting")
RUSSIAN = "абвгдежзиклмнопрстуфхцчшщэюя"
ALPHABETS = {
    "lowerLetter": "abcdefghijklmnopqrstuvwxyz",
    "russianLower": RUSSIAN,
    "russianUpper": RUSSIAN,
    "aiueo": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "iroha": "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン",
    "ganada": "가나다라마바사아자차카타파하",
    "ideographTraditional": "甲乙丙丁戊己庚辛壬癸",
    "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥",
}
ALPHABETS["upperLetter"] = ALPHABETS["lowerLetter"]
ORDINALS = {1: "st", 2: "nd", 3: "rd"}
ENCLOSED = ("decimalEnclosedCircle", "decimalEnclosedCircleChinese", "ideographEnclosedCircle")
MAX_LETTERS = 50


def numeral(count: int, kind: str) -> str:
    """A number in one of the ways that the attribute `numFmt` names; decimal for those of further scripts."""
    if count < 1:
        return str(count)
    if kind in ALPHABETS:
        letters = ALPHABETS[kind]
        text = letters[(count - 1) % len(letters)] * min((count - 1) // len(letters) + 1, MAX_LETTERS)
        return text.upper() if kind.startswith("upper") or kind.endswith("Upper") else text
    if kind in ("lowerRoman", "upperRoman") and count < 4_000:
        return _roman(count).upper() if kind.startswith("upper") else _roman(count)
    if kind in (*CHINESE, *JAPANESE) and count < 10_000:
        return _chinese(count, is_japanese=kind in JAPANESE)
    return _decimal(count, kind)


def _decimal(count: int, kind: str) -> str:
    if kind == "decimalZero":
        return f"{count:02}"
    if kind == "numberInDash":
        return f"- {count} -"
    if kind == "ordinal":
        return f"{count}{'th' if count % 100 in (11, 12, 13) else ORDINALS.get(count % 10, 'th')}"
    if kind in ENCLOSED and count <= 20:
        return chr(ord("①") + count - 1)
    return str(count)


def _roman(count: int) -> str:
    text = ""
    for size, letters in ROMAN:
        text += letters * (count // size)
        count %= size
    return text


def _chinese(count: int, *, is_japanese: bool) -> str:
    """Chinese writes the gap in 一百零一 and the one before a hundred, Japanese neither: 百一."""
    text, digits = "", [int(digit) for digit in str(count)]
    for at, digit in enumerate(digits):
        if not digit:
            continue
        unit = CHINESE_UNITS[len(digits) - 1 - at]
        if at and not digits[at - 1] and not is_japanese:
            text += CHINESE_DIGITS[0]
        is_bare = unit and digit == 1 and (is_japanese or count < 20)
        text += unit if is_bare else CHINESE_DIGITS[digit] + unit
    return text
