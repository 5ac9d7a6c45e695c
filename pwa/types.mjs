/**
 * TypeScript types from /schemas, into src/generated/schemas.ts. `node types.mjs` writes the file; a test holds it to
 * the schemas. (json-schema-to-typescript was looked at and lost: two dozen packages for what is said here.)
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const SCHEMAS = join(ROOT, "..", "schemas");
export const TARGET = join(ROOT, "src", "generated", "schemas.ts");

const named = (name) => name.replace(/(^|_)([a-z])/g, (_all, _bar, letter) => letter.toUpperCase());

/** The type of a shape, as TypeScript writes it. */
function typeOf(shape) {
  if (shape === true) return "unknown";
  if (shape.$ref) return named(shape.$ref.split("/").pop());
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (shape.oneOf) return shape.oneOf.map(typeOf).join(" | ");
  switch (shape.type) {
    case "string":
    case "boolean":
      return shape.type;
    case "integer":
      return "number";
    case "array":
      return `readonly (${typeOf(shape.items)})[]`;
    case "object":
      return objectOf(shape);
    default:
      throw new Error(`no type for ${JSON.stringify(shape)}`);
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }) {
  const fields = Object.entries(properties).map(
    ([name, shape]) =>
      `${comment(shape)}readonly ${JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${typeOf(shape)};`,
  );
  const others =
    typeof additionalProperties === "object"
      ? [`readonly [field: string]: ${typeOf(additionalProperties)};`]
      : [];
  if (fields.length + others.length === 0) return "Readonly<Record<string, unknown>>";
  return `{\n${[...fields, ...others].join("\n")}\n}`;
}

function comment({ description }) {
  return description ? `/** ${description} */\n` : "";
}

const exported = (name, shape) => `${comment(shape)}export type ${named(name)} = ${typeOf(shape)};\n`;

/** The whole file. */
export function types() {
  const read = (file) => JSON.parse(readFileSync(join(SCHEMAS, file), "utf-8"));
  const documents = readdirSync(SCHEMAS).filter((file) => file.endsWith(".json") && file !== "common.json");
  const shared = Object.entries(read("common.json").$defs).map(([name, shape]) => exported(name, shape));
  const whole = documents.sort().map((file) => exported(`${file.slice(0, -5)}_document`, read(file)));
  return ["// Written by types.mjs from /schemas. Not to be edited.\n", ...shared, ...whole].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(TARGET, types());
