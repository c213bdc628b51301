"""How much of what a customer buys is bought at a discount; docs/algorithms/profile.md."""

MIN_DISCOUNT_SHARE = (
    0.02  # of the usual price: less is a rounding, or a price change not yet in the catalogue
)
USUAL_SHARE = 0.2  # of lines, where nothing better is known
PRIOR_LINES = 5.0  # how many of a customer's own lines the usual share counts as


def is_discounted(*, paid_minor: int, list_price_minor: int) -> bool:
    """Return whether a unit was had for less than its usual price.

    >>> is_discounted(paid_minor=195, list_price_minor=200), is_discounted(paid_minor=197, list_price_minor=200)
    (True, False)
    """
    return paid_minor < list_price_minor * (1.0 - MIN_DISCOUNT_SHARE)


def discount_share(
    *, discounted: int, listed: int, usual_share: float = USUAL_SHARE, prior_lines: float = PRIOR_LINES
) -> float:
    """Return the share of lines bought at a discount, 0..1, shrunk towards the usual one.

    listed: lines of which the usual price is known; others say nothing. discounted: those below it.
    Raises ValueError unless 0 <= discounted <= listed and prior_lines > 0.

    >>> discount_share(discounted=0, listed=0), discount_share(discounted=9, listed=15)
    (0.2, 0.5)
    """
    if not (0 <= discounted <= listed and prior_lines > 0):
        raise ValueError("of the lines with a known price some were discounted, and none more than once")
    return (usual_share * prior_lines + discounted) / (prior_lines + listed)
