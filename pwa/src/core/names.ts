/** Vietnamese names: how they are searched, and in which order they stand. Pure. */

const MARKS = /[\u0300-\u036f]/g;

/** The text with nothing left that a hurried thumb leaves out: diacritics, đ's stroke, case, doubled spaces. */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(MARKS, "")
    .toLowerCase()
    .replace(/đ/g, "d")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Whether each word that was typed begins a word of the text: "ng an" finds "Nguyễn Văn An".
 * `folded` is the text after `fold`, kept by the caller because a list is searched at each key.
 */
export function matches(folded: string, query: string): boolean {
  const words = folded.split(/[ /,.-]/);
  return fold(query)
    .split(" ")
    .every((typed) => words.some((word) => word.startsWith(typed)));
}

// Alphabet order, then tones in the order of Vietnamese dictionaries: none, huyền, hỏi, ngã, sắc, nặng.
const LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";
const TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"];
const TONE_MARKS = /[\u0300\u0301\u0303\u0309\u0323]/g;

/** A key whose plain text order is Vietnamese order: the given name, then the rest; letters before tones. */
export function nameKey(name: string): string {
  const words = name.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  const given = words.pop() ?? "";
  return [given, ...words].map((word) => `${letterKey(word)}!${toneKey(word)}`).join(" ");
}

function letterKey(word: string): string {
  const bare = word.normalize("NFD").replace(TONE_MARKS, "").normalize("NFC");
  return Array.from(bare, (letter) => {
    const at = LETTERS.indexOf(letter);
    return at < 0 ? letter : String.fromCharCode(0x100 + at);
  }).join("");
}

function toneKey(word: string): string {
  const marks = word.normalize("NFD").match(TONE_MARKS);
  return String(TONES.indexOf(marks?.[0] ?? ""));
}

/** Compares two names by `nameKey`, for sorting. */
export function byName(a: string, b: string): number {
  const [x, y] = [nameKey(a), nameKey(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
