"""The season as one drawing: what each policy earns and asks, and what is left of it where the model is wrong."""

from collections.abc import Sequence
from html import escape

from offers.evaluation.season.report import Row

WIDTH, ROW, TOP, LABELS, BARS = 900, 26, 62, 200, 210
COLOURS = {"no push": "#9ca3af", "blast": "#d97706", "geofence": "#2563eb", "engine": "#15803d"}


def season_svg(rows: Sequence[Row], wrong: Sequence[tuple[str, Row, Row]]) -> str:
    """Return the drawing: margin above silence and messages per shopper by policy, then by wrong model."""
    parts = [_text(LABELS, 24, "The season: margin above silence, and messages per shopper", size=16)]
    parts += [
        _text(LABELS, 46, "margin above silence, €"),
        _text(LABELS + BARS + 110, 46, "messages per shopper"),
    ]
    everyone = [*rows, *(row for _, *both in wrong for row in both)]
    most = max([abs(row.more_than_silence) for row in everyone] + [1.0])
    loudest = max([row.pushes_per_shopper for row in everyone] + [0.1])
    y = TOP
    for row in rows:
        parts += _bars(y, row.name, row, most=most, loudest=loudest)
        y += ROW
    if wrong:
        y += ROW
        parts.append(
            _text(
                LABELS, y, "where shoppers are not what the engine believes: geofence (blue), engine (green)"
            )
        )
        y += 12
    for name, *both in wrong:
        for row, label in zip(both, (name, ""), strict=True):
            parts += _bars(y, label, row, most=most, loudest=loudest, height=9)
            y += 10
        y += 8
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 16}" font-family="sans-serif">'
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{y + 16}" fill="#ffffff"/>', *parts, "</svg>", ""]
    )


def _bars(y: int, label: str, row: Row, *, most: float, loudest: float, height: int = 16) -> list[str]:
    earned = round(BARS * abs(row.more_than_silence) / most)
    asked = round(BARS * row.pushes_per_shopper / loudest)
    colour = COLOURS[row.name] if row.more_than_silence >= 0 else "#b91c1c"
    right = LABELS + BARS + 110
    parts = [
        _text(LABELS - 10, y + height - 3, label, anchor="end"),
        _box(LABELS, y, earned, height, colour),
        _text(
            LABELS + earned + 6, y + height - 2, f"{row.more_than_silence:+,.0f}", size=min(12, height + 2)
        ),
        _box(right, y, asked, height, COLOURS[row.name]),
        _text(right + asked + 6, y + height - 2, f"{row.pushes_per_shopper:.2f}", size=min(12, height + 2)),
    ]
    return [part for part in parts if part]


def _box(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{max(width, 1)}" height="{height}" fill="{colour}"/>'


def _text(x: int, y: int, text: str, *, size: int = 12, anchor: str = "start") -> str:
    if not text:
        return ""
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="#111827">{escape(text)}</text>'
