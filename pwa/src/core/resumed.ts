/** A form that goes on after the app was ended: what was typed into it, upon what stands by now. */

/**
 * Three-way: what the person did not touch since it stood as it `was` is as it is `now`, what was touched stays `mine`.
 * Of an object each key is decided by itself, of a list what was added and what was taken out. Undefined is a value
 * too: a cleared one.
 */
export function resumed(was: unknown, mine: unknown, now: unknown): unknown {
  if (JSON.stringify(mine) === JSON.stringify(was)) return now;
  if (Array.isArray(was) && Array.isArray(mine) && Array.isArray(now))
    return [
      ...now.filter((one) => mine.includes(one) || !was.includes(one)),
      ...mine.filter((one) => !was.includes(one) && !now.includes(one)),
    ];
  if (!isRecord(was) || !isRecord(mine) || !isRecord(now)) return mine;
  const keys = new Set([...Object.keys(now), ...Object.keys(mine)]);
  return Object.fromEntries([...keys].map((key) => [key, resumed(was[key], mine[key], now[key])]));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
