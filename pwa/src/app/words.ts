/**
 * The catalogue of a language. The first load carries Vietnamese alone, and of it what the first screens say; the
 * service worker keeps the rest.
 */
import type { Language } from "../core/wording.ts";
import { type Catalogue, vi } from "../core/words/vi.ts";

/** Whole once a screen that loads later is there: until then nobody says the rest of it. */
const vietnamese = { ...vi } as Catalogue;

/** Fetches the words of the screens that load later. Rejects where they cannot be had now. */
export async function moreWords(): Promise<void> {
  Object.assign(vietnamese, (await import("../core/words/vi_more.ts")).more);
}

export async function wordsOf(language: Language): Promise<Catalogue> {
  if (language === "vi") return vietnamese;
  try {
    return (await import("../core/words/en.ts")).en;
  } catch {
    return vietnamese; // no service worker yet, and no link: better understood by some than by nobody
  }
}
