"""Where a text may be cut without breaking what a reader sees as one character.

The extended grapheme clusters of Unicode Annex 29, from the properties Python's own tables give; scripts whose
conjuncts need tables of their own (Indic, rule GB9c) are kept whole over a virama instead.
"""

import unicodedata

_ZWJ = "\u200d"
_CRLF = "\r\n"
_VIRAMA_CLASS = 9  # canonical combining class of viramas: the letter after one belongs to the same syllable


def graphemes(text: str) -> list[str]:
    """Return the text's characters as a reader counts them, in order; joined they are the text."""
    clusters: list[str] = []
    for char in text:
        if clusters and _joins(clusters[-1], char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _joins(cluster: str, char: str) -> bool:
    last = cluster[-1]
    if last + char == _CRLF:
        return True
    if _is_control(last) or _is_control(char):
        return False
    if _extends(char) or _hangul_joins(last, char):
        return True
    if last == _ZWJ:
        return _is_pictograph(char)
    if _is_regional(char):
        return _is_regional(last) and sum(map(_is_regional, cluster)) % 2 == 1
    return unicodedata.combining(last) == _VIRAMA_CLASS and unicodedata.category(char) == "Lo"


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Zl", "Zp")


def _extends(char: str) -> bool:
    # Marks (variation selectors and keycaps among them), joiners, skin tones, and the tags inside flags.
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in (_ZWJ, "\u200c")
        or 0x1F3FB <= ord(char) <= 0x1F3FF
        or 0xE0020 <= ord(char) <= 0xE007F
    )


def _is_regional(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _is_pictograph(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sm", "Po") or ord(char) >= 0x1F000


def _hangul_joins(last: str, char: str) -> bool:
    before, after = _hangul_kind(last), _hangul_kind(char)
    if before == "L":
        return after in ("L", "V", "LV", "LVT")
    if before in ("LV", "V"):
        return after in ("V", "T")
    return before in ("LVT", "T") and after == "T"


def _hangul_kind(char: str) -> str:
    point = ord(char)
    if 0x1100 <= point <= 0x115F or 0xA960 <= point <= 0xA97C:
        return "L"
    if 0x1160 <= point <= 0x11A7 or 0xD7B0 <= point <= 0xD7C6:
        return "V"
    if 0x11A8 <= point <= 0x11FF or 0xD7CB <= point <= 0xD7FB:
        return "T"
    if 0xAC00 <= point <= 0xD7A3:
        return "LV" if (point - 0xAC00) % 28 == 0 else "LVT"
    return ""
