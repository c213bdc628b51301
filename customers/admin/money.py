"""Amounts of money as staff read them."""

from customers.admin.words import say

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "VND", "XOF", "XAF", "XPF"})


def money(*, minor: int, currency: str) -> str:
    """Return an amount of minor units in the reader's own notation.

    >>> money(minor=149, currency="EUR")
    '€1.49'
    """
    symbol = SYMBOLS.get(currency)
    sign, amount = ("−" if minor < 0 else ""), abs(minor)
    number = str(amount) if currency in WITHOUT_CENTS else f"{amount // 100}.{amount % 100:02d}"
    english = f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency}"
    return say(en=english, fr=f"{sign}{number.replace('.', ',')} {symbol or currency}")
