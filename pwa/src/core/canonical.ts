/**
 * Canonical JSON, RFC 8785, restricted to integers.
 *
 * Keys are sorted by UTF-16 code units (JavaScript's own order of strings), strings are escaped as JSON.stringify
 * does it (RFC 8785, 3.2.2.2 says: as ECMAScript), numbers are integers that a double holds exactly.
 */
import type { Json } from "./json.ts";

export class NotCanonical extends Error {}

/** The canonical text. Raises NotCanonical for fractions, lone surrogates and what is not JSON. */
export function canonical(value: Json): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      if (!Number.isSafeInteger(value)) throw new NotCanonical(`not an integer: ${value}`);
      return String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
      return `{${Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${quoted(key)}:${canonical(item)}`)
        .join(",")}}`;
    default:
      throw new NotCanonical(`not JSON: ${typeof value}`);
  }
}

function quoted(text: string): string {
  // I-JSON (RFC 7493) has no lone surrogates; JSON.stringify would escape them in silence.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?:[^\ud800-\udbff]|^)[\udc00-\udfff]/.test(text))
    throw new NotCanonical("a lone surrogate");
  return JSON.stringify(text);
}
