"""Title and body, cut between what a reader sees as characters until a provider takes them."""

from collections.abc import Callable

from .graphemes import graphemes

ELLIPSIS = "…"


class CannotBuild(Exception):
    """A message that cannot be sent, or that its provider would refuse whatever the device; `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def fitted_texts(title: str, body: str, *, fits: Callable[[str, str], bool]) -> tuple[str, str]:
    """Return title and body such that they fit, cut as little as possible and ending in an ellipsis where cut.

    The body gives way first, then the title. `fits` must hold for a beginning of what it holds for.
    Raises CannotBuild (PAYLOAD_TOO_LARGE) where not even one character of the title fits.
    """
    if fits(title, body):
        return title, body
    shorter = _longest(body, fits=lambda text: fits(title, text))
    if shorter is not None:
        return title, shorter
    if fits(title, ""):
        return title, ""
    shorter = _longest(title, fits=lambda text: fits(text, ""))
    if shorter is None:
        raise CannotBuild("PAYLOAD_TOO_LARGE")
    return shorter, ""


def _longest(text: str, *, fits: Callable[[str], bool]) -> str | None:
    """Return the longest beginning of the text, by grapheme, that fits with an ellipsis; None if none does."""
    clusters = graphemes(text)
    low, high = 0, len(clusters) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_cut(clusters, middle)):
            low = middle
        else:
            high = middle - 1
    if low == 0 or not fits(_cut(clusters, low)):
        return None
    return _cut(clusters, low)


def _cut(clusters: list[str], count: int) -> str:
    return "".join(clusters[:count]).rstrip() + ELLIPSIS
