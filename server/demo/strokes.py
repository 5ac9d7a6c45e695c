"""Signatures that a thumb might draw, on the grid of 0 to 999."""

from math import cos, pi, sin
from random import Random


def signature(random: Random) -> list[list[int]]:
    """Two to four strokes: a wave with loops, then a line or a dot. Under 600 bytes as canonical JSON."""
    strokes = [_wave(random, left=90, right=random.randint(560, 780))]
    if random.random() < 0.6:
        strokes.append(_wave(random, left=random.randint(380, 520), right=910, points=10))
    if random.random() < 0.7:
        strokes.append(_line(random))
    strokes.append(_dot(random))
    return strokes


def _wave(random: Random, *, left: int, right: int, points: int = 26) -> list[int]:
    turns = random.uniform(2.0, 4.5)
    height = random.uniform(110, 230)
    loop = random.uniform(20, 70)
    phase = random.uniform(0, pi)
    middle = random.uniform(420, 560)
    flat: list[int] = []
    for step in range(points):
        along = step / (points - 1)
        angle = phase + along * turns * 2 * pi
        x = left + along * (right - left) + loop * cos(angle)
        y = middle + height * sin(angle) * (1 - 0.6 * along) - 40 * along
        flat += (_on_grid(x), _on_grid(y))
    return flat


def _line(random: Random) -> list[int]:
    y = random.randint(690, 780)
    return [random.randint(120, 200), y, random.randint(450, 550), y - 30, random.randint(760, 880), y - 55]


def _dot(random: Random) -> list[int]:
    x, y = random.randint(500, 900), random.randint(220, 330)
    return [x, y, x + 6, y + 4]


def _on_grid(value: float) -> int:
    return min(999, max(0, round(value)))
