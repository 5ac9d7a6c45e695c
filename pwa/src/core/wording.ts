/** How words, dates and numbers are said. Pure. */
import type { Catalogue, Key } from "./words/vi.ts";

export type Language = "vi" | "en";
export type Values = Readonly<Record<string, string | number>>;
export type Say = (key: Key, values?: Values) => string;

/** Says a key of the catalogue; `{name}` is replaced by its value, `{name|one|many}` by a word that goes with it. */
export function sayer(catalogue: Catalogue): Say {
  return (key, values = {}) =>
    catalogue[key].replace(
      /\{(\w+)(?:\|(.*?)\|(.*?))?\}/g,
      (_, name: string, one?: string, many?: string) => {
        const value = values[name];
        if (one !== undefined) return (value === 1 ? one : many) ?? "";
        return typeof value === "number" ? number(value) : (value ?? "");
      },
    );
}

/** "Thôn Khuổi Lạn": the kind is written small in the data, and begins a heading here. */
export function hamletName({ kind, name }: { readonly kind: string; readonly name: string }): string {
  const whole = `${kind} ${name}`.trim();
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

/** Whole numbers as Vietnamese write them: 1.234. */
export function number(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ".");
}

/** dd/mm/yyyy of YYYY-MM-DD or of an instant's UTC text, in the phone's own time zone for an instant. */
export function date(text: string): string {
  if (text.length === 10) return text.split("-").reverse().join("/");
  return date(localDay(Date.parse(text)));
}

/** A day with its weekday, by which people know it: "Thứ Hai, 05/10/2026". Empty where `text` is no day. */
export function weekday(text: string, lang: string): string {
  const noon = Date.parse(`${text}T12:00:00`);
  if (Number.isNaN(noon)) return "";
  return `${new Intl.DateTimeFormat(lang, { weekday: "long" }).format(noon)}, ${date(text)}`;
}

/** YYYY-MM-DD of a moment (milliseconds) where the phone is. */
export function localDay(ms: number): string {
  const day = new Date(ms);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** hh:mm dd/mm/yyyy of a moment (milliseconds) where the phone is. */
export function moment(ms: number): string {
  const at = new Date(ms);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())} ${date(localDay(ms))}`;
}
