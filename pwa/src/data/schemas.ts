/** The schemas of what phones write, bundled with the app. */
import common from "../../../schemas/common.json";
import household from "../../../schemas/household.json";
import pledge from "../../../schemas/pledge.json";
import signature from "../../../schemas/signature.json";
import type { JsonObject } from "../core/json.ts";
import { Schemas } from "../core/validate.ts";

const files = { common, household, pledge, signature } as unknown as Readonly<Record<string, JsonObject>>;
export const schemas = new Schemas(files);
