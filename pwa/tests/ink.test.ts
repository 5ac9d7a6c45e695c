import assert from "node:assert/strict";
import test from "node:test";
import { INK_BYTES, inked, type Point, size } from "../src/core/ink.ts";

const WIDTH = 320;
const HEIGHT = 200;

function curve(points: number, turns: number): Point[] {
  return Array.from({ length: points }, (_, i): Point => {
    const t = i / (points - 1);
    return [10 + t * 300, 100 + 80 * Math.sin(t * turns * 2 * Math.PI)];
  });
}

test("whatever a thumb draws fits in 600 bytes, on the grid, in at most 60 strokes", () => {
  const drawings: Record<string, Point[][]> = {
    "a name in three strokes": [curve(200, 2), curve(150, 3), curve(40, 1)],
    "a scribble for half a minute": [curve(4_000, 40)],
    "two hundred dots": Array.from({ length: 200 }, (_, i): Point[] => [[i, (i * 7) % HEIGHT]]),
    "a line out of the frame": [
      [
        [-50, -50],
        [900, 900],
      ],
    ],
  };
  for (const [what, drawn] of Object.entries(drawings)) {
    const strokes = inked(drawn, WIDTH, HEIGHT);
    assert.ok(strokes.length > 0 && strokes.length <= 60, what);
    assert.ok(size(strokes) <= INK_BYTES, `${what}: ${size(strokes)} bytes`);
    for (const stroke of strokes) {
      assert.equal(stroke.length % 2, 0, what);
      assert.ok(stroke.length >= 2 && stroke.length <= 300, what);
      assert.ok(
        stroke.every((value) => Number.isInteger(value) && value >= 0 && value <= 999),
        what,
      );
    }
  }
});

test("a line keeps its ends, and a signature its shape", () => {
  assert.deepEqual(
    inked(
      [
        [
          [0, 0],
          [160, 100],
          [320, 200],
        ],
      ],
      WIDTH,
      HEIGHT,
    ),
    [[0, 0, 999, 999]],
  );
  const strokes = inked([curve(300, 2)], WIDTH, HEIGHT);
  const drawn = curve(300, 2).map(([x, y]) => [(x / WIDTH) * 999, (y / HEIGHT) * 999] as const);
  const kept = strokes[0] ?? [];
  // Each point that was drawn lies near the line that was kept.
  for (const [x, y] of drawn) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 3 < kept.length; i += 2) {
      const [ax, ay, bx, by] = kept.slice(i, i + 4) as [number, number, number, number];
      const t = Math.max(
        0,
        Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)),
      );
      nearest = Math.min(nearest, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)));
    }
    assert.ok(nearest < 25, `${Math.round(nearest)} of 999 away`);
  }
});

test("nothing drawn is nothing", () => {
  assert.deepEqual(inked([], WIDTH, HEIGHT), []);
  assert.deepEqual(inked([[]], WIDTH, HEIGHT), []);
});
