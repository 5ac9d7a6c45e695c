/** The schemas of what phones write, bundled with the app. */
import common from "../../../schemas/common.json";
import household from "../../../schemas/household.json";
import inspection from "../../../schemas/inspection.json";
import outreach from "../../../schemas/outreach.json";
import photo from "../../../schemas/photo.json";
import pledge from "../../../schemas/pledge.json";
import signature from "../../../schemas/signature.json";
import unit from "../../../schemas/unit.json";
import type { JsonObject } from "../core/json.ts";
import { Schemas } from "../core/validate.ts";

const files = {
  common,
  household,
  inspection,
  outreach,
  photo,
  pledge,
  signature,
  unit,
} as unknown as Readonly<Record<string, JsonObject>>;
export const schemas = new Schemas(files);
