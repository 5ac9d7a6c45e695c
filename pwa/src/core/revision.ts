/** Revisions as text, `N-<digest>`; an ancestry is a list of digests, newest first. */

export function generation(rev: string): number {
  return Number.parseInt(rev, 10);
}

export function digest(rev: string): string {
  return rev.slice(rev.indexOf("-") + 1);
}

/** Whether `rev` is `top` or one of its ancestors; `revs` is the ancestry of `top`, its own digest first. */
export function descends(top: string, revs: readonly string[], rev: string): boolean {
  return revs[generation(top) - generation(rev)] === digest(rev);
}

/** The parents' side of `_revisions`: what CouchDB calls start and ids. */
export function revisions(
  rev: string,
  revs: readonly string[],
  depth: number,
): { start: number; ids: string[] } {
  return { start: generation(rev), ids: revs.slice(0, depth) };
}
