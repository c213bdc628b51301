"""Coupon codes that people can read out and tills can scan; docs/algorithms/coupon-codes.md."""

from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
CHECK_MODULUS = 37  # the least prime above 32: one wrong symbol or two swapped ones never go unseen
DATA_SYMBOLS = 15
CODE_SYMBOLS = DATA_SYMBOLS + 1
GROUP = 4
DATA_BITS = 5 * DATA_SYMBOLS
RANDOM_BYTES = (DATA_BITS + 7) // 8

_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_LOOK_ALIKES = str.maketrans(
    {"O": "0", "I": "1", "L": "1", **dict.fromkeys(" \t\r\n-\u00a0\u2010\u2011\u2013", "")}
)


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh code of 16 symbols without separators: 15 random ones and their check symbol.

    random_bytes gives that many unpredictable bytes (secrets.token_bytes). Draws whose check value has
    no letter or digit (5 in 37) are thrown away: 74.8 bits of chance are left.
    """
    while True:
        number = int.from_bytes(random_bytes(RANDOM_BYTES), "big") >> (8 * RANDOM_BYTES - DATA_BITS)
        check = number % CHECK_MODULUS
        if check < len(ALPHABET):
            data = "".join(ALPHABET[number >> shift & 31] for shift in range(DATA_BITS - 5, -1, -5))
            return data + ALPHABET[check]


def grouped(code: str) -> str:
    """Return a code as people see it: groups of four with hyphens.

    >>> grouped("0123456789ABCDEF")
    '0123-4567-89AB-CDEF'
    """
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def normalise(text: str) -> str | None:
    """Return the code that was typed or scanned, as new_code gave it; None if it cannot be one.

    Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.
    """
    if len(text) > 4 * CODE_SYMBOLS:
        return None
    symbols = text.upper().translate(_LOOK_ALIKES)
    if len(symbols) != CODE_SYMBOLS:
        return None
    number = 0
    for symbol in symbols[:DATA_SYMBOLS]:
        value = _VALUES.get(symbol)
        if value is None:
            return None
        number = number * 32 + value
    return symbols if _VALUES.get(symbols[-1]) == number % CHECK_MODULUS else None
