"""A touch signature as one SVG path. Strokes are x0, y0, x1, y1 … on a grid of 0 to 999."""

from collections.abc import Sequence
from typing import NamedTuple

_MARGIN = 20
_LEAST = 120  # a dot or a dash must not fill the frame


class Ink(NamedTuple):
    """What `<svg viewBox=… ><path d=…>` needs; the frame follows the strokes."""

    box: str
    path: str


def draw(strokes: Sequence[Sequence[int]]) -> Ink:
    """The strokes as an outline in their own frame; a stroke of one point is a dot."""
    xs = [x for stroke in strokes for x in stroke[0::2]]
    ys = [y for stroke in strokes for y in stroke[1::2]]
    left, top = min(xs) - _MARGIN, min(ys) - _MARGIN
    width = max(max(xs) - min(xs), _LEAST) + 2 * _MARGIN
    height = max(max(ys) - min(ys), _LEAST) + 2 * _MARGIN
    return Ink(f"{left} {top} {width} {height}", " ".join(map(_outline, strokes)))


def _outline(stroke: Sequence[int]) -> str:
    first, *rest = list(zip(stroke[0::2], stroke[1::2], strict=False))
    # a line of no length is drawn as a dot by round caps
    return f"M{first[0]} {first[1]}" + "".join(f"L{x} {y}" for x, y in rest or [first])
