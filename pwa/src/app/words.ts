/** The catalogue of a language. The first load carries Vietnamese alone; the service worker keeps the others. */
import type { Language } from "../core/wording.ts";
import { type Catalogue, vi } from "../core/words/vi.ts";

export async function wordsOf(language: Language): Promise<Catalogue> {
  if (language === "vi") return vi;
  try {
    return (await import("../core/words/en.ts")).en;
  } catch {
    return vi; // no service worker yet, and no link: better understood by some than by nobody
  }
}
