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

/** Those that none of the others was built upon. */
export function tips<L extends { readonly rev: string; readonly revs: readonly string[] }>(
  leaves: readonly L[],
): L[] {
  const under = new Set(leaves.flatMap(({ revs }) => revs.slice(1)));
  return leaves.filter(({ rev }) => !under.has(digest(rev)));
}

/** The parents' side of `_revisions`: what CouchDB calls start and ids. */
export function revisions(
  rev: string,
  revs: readonly string[],
  depth: number,
): { start: number; ids: string[] } {
  return { start: generation(rev), ids: revs.slice(0, depth) };
}
