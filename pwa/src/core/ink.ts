/**
 * A signature as it is drawn becomes strokes on a grid of 0–999 that fit in 600 bytes: fewer points, the same
 * line (Douglas–Peucker, with the smallest tolerance that fits). No timing and no pressure are kept. Pure.
 */
import { canonical } from "./canonical.ts";
import type { Strokes } from "./documents.ts";

export const INK_BYTES = 600;
const GRID = 999;
const MOST_STROKES = 60;

export type Point = readonly [x: number, y: number];

/** Strokes that fit, from points in a frame of `width` × `height` pixels. [] where nothing was drawn. */
export function inked(drawn: readonly (readonly Point[])[], width: number, height: number): Strokes {
  const scale = (value: number, side: number) =>
    Math.max(0, Math.min(GRID, Math.round((value / side) * GRID)));
  const strokes = drawn
    .filter((stroke) => stroke.length > 0)
    .map((stroke) => stroke.map(([x, y]): Point => [scale(x, width), scale(y, height)]));
  // A scribble that no tolerance makes small enough loses its shortest strokes: whoever drew, has signed.
  for (let most = MOST_STROKES; most > 0; most = Math.floor(most / 2)) {
    for (let tolerance = 2; tolerance <= GRID; tolerance *= 1.5) {
      const thinned = longest(
        strokes.map((stroke) => thin(stroke, tolerance)),
        most,
      ).map((stroke) => stroke.flat());
      if (size(thinned) <= INK_BYTES) return thinned;
    }
  }
  return [];
}

/** Bytes of strokes in canonical JSON, which is what the signature's digest covers. */
export function size(strokes: Strokes): number {
  return canonical(strokes).length;
}

/** A scribble of a hundred dots keeps its longest strokes, in the order in which they were drawn. */
function longest(strokes: readonly Point[][], most: number): readonly Point[][] {
  if (strokes.length <= most) return strokes;
  const kept = new Set([...strokes].sort((a, b) => b.length - a.length).slice(0, most));
  return strokes.filter((stroke) => kept.has(stroke));
}

function thin(stroke: readonly Point[], tolerance: number): Point[] {
  const first = stroke[0];
  const last = stroke[stroke.length - 1];
  if (!first || !last) return [];
  if (stroke.length < 3) return same(first, last) ? [first] : [first, last];
  let far = 0;
  let at = 0;
  for (let i = 1; i < stroke.length - 1; i++) {
    const away = distance(stroke[i] as Point, first, last);
    if (away > far) [far, at] = [away, i];
  }
  if (far <= tolerance) return same(first, last) ? [first] : [first, last];
  return [...thin(stroke.slice(0, at + 1), tolerance).slice(0, -1), ...thin(stroke.slice(at), tolerance)];
}

const same = (a: Point, b: Point) => a[0] === b[0] && a[1] === b[1];

/** From a point to the segment between two others. */
function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const long = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = long ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long)) : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}
