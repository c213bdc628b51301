"""The price ahead as a drawing: steps from now to the deadline, made by the server as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from customers.admin.money import money
from customers.admin.words import say

WIDTH, HEIGHT = 360, 170
LEFT, RIGHT, TOP, BOTTOM = 12, 348, 34, 138  # of the area in which prices are drawn
WHOLE_BP = 10_000
LEAST_APART = 54  # between two captions


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    steps: Sequence[tuple[datetime, int]]  # (from, depth in basis points), the first is now
    ends_at: datetime
    regular_price_minor: int
    currency: str


def ladder_svg(ladder: Ladder) -> SafeString:
    """Return the drawing; it takes the width that it is given, and its colours from rayon/staff.css."""
    start = ladder.steps[0][0]
    span = max(1.0, (ladder.ends_at - start).total_seconds())

    def x_of(at: datetime) -> float:
        return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, (at - start).total_seconds() / span))

    def y_of(depth: int) -> float:
        return TOP + (BOTTOM - TOP) * depth / WHOLE_BP  # the axis is nothing to pay

    ends = [at for at, _ in ladder.steps[1:]] + [ladder.ends_at]
    corners = [
        (x, y_of(depth))
        for (at, depth), end in zip(ladder.steps, ends, strict=True)
        for x in (x_of(at), x_of(end))
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    captions = _captions(
        ladder, xs=[x_of(at) for at, _ in ladder.steps], ys=[y_of(d) for _, d in ladder.steps]
    )
    return format_html(
        '<svg class="rayon-ladder" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polygon class="rayon-ladder-area" points="{},{} {} {},{}"/>'
        '<polyline class="rayon-ladder-line" points="{}"/>'
        '<line class="rayon-ladder-axis" x1="{}" y1="{}" x2="{}" y2="{}"/>{}{}</svg>',
        *(WIDTH, HEIGHT, _in_words(ladder)),
        *(LEFT, BOTTOM, line, RIGHT, BOTTOM),
        line,
        *(LEFT, BOTTOM, RIGHT, BOTTOM),
        captions,
        _clock(ladder, xs=[*(x_of(at) for at, _ in ladder.steps), float(RIGHT)]),
    )


def _captions(ladder: Ladder, *, xs: Sequence[float], ys: Sequence[float]) -> SafeString:
    """Return the depth and the price over each step that has room for them."""
    shown: list[tuple[float, float, str, float, float, str]] = []
    free_from = 0.0
    for (_, depth), x, y in zip(ladder.steps, xs, ys, strict=True):
        at = min(x, RIGHT - LEAST_APART)
        if at < free_from:
            continue
        free_from = at + LEAST_APART
        price = ladder.regular_price_minor * (WHOLE_BP - depth) / WHOLE_BP
        said = money(minor=round(price), currency=ladder.currency)
        shown.append((at, y - 18, depth_words(depth), at, y - 5, said))
    return format_html_join(
        "",
        '<text class="rayon-ladder-depth" x="{}" y="{}">{}</text><text x="{}" y="{}">{}</text>',
        shown,
    )


def _clock(ladder: Ladder, *, xs: Sequence[float]) -> SafeString:
    """Return the hours under the axis: now, each change and the deadline, as far as they do not touch."""
    moments = [*(at for at, _ in ladder.steps), ladder.ends_at]
    shown, last = [], len(moments) - 1
    free_from = 0.0
    for number, (at, x) in enumerate(zip(moments, xs, strict=True)):
        is_last = number == last
        if not is_last and (x < free_from or x > RIGHT - LEAST_APART):
            continue
        free_from = x + LEAST_APART
        anchor = "end" if is_last else "start"
        shown.append((f"{x:.1f}", BOTTOM + 18, anchor, clock_words(at, start=moments[0])))
    return format_html_join("", '<text x="{}" y="{}" text-anchor="{}">{}</text>', shown)


def depth_words(depth_bp: int) -> str:
    """Return a depth as staff read it; no discount is the normal price."""
    if depth_bp == 0:
        return say(en="normal price", fr="prix normal")
    percent = f"{depth_bp / 100:g}"
    return say(en=f"−{percent} %", fr=f"−{percent.replace('.', ',')} %")


def clock_words(at: datetime, *, start: datetime) -> str:
    """Return an instant on the staff's clock, with its day where that is another than that of `start`."""
    local, first = timezone.localtime(at), timezone.localtime(start)
    if local.date() == first.date():
        return f"{local:%H:%M}"
    return say(en=f"{local:%d %b %H:%M}", fr=f"{local:%d/%m %H:%M}")


def _in_words(ladder: Ladder) -> str:
    start = ladder.steps[0][0]
    steps = [
        say(
            en=f"from {clock_words(at, start=start)} {depth_words(depth)}",
            fr=f"à partir de {clock_words(at, start=start)} {depth_words(depth)}",
        )
        for at, depth in ladder.steps
    ]
    return ", ".join(steps)
