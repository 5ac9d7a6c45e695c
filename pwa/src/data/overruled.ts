/**
 * Whose value lost is told. When a winner settles an own leaf, the registers that this phone wrote since its last
 * received revision are compared with it: a later value of somebody else's stands there now.
 */
import type { Json, JsonObject } from "../core/json.ts";
import { sameJson } from "../core/json.ts";
import type { Stamps } from "../core/stamps.ts";
import type { Fresh } from "./db.ts";

/** The fields of which an own value lost against the winner's. Sets lose nothing. */
export function lostFields(own: JsonObject, fresh: Fresh, winner: JsonObject): string[] {
  const mine = own.stamps as Stamps;
  const theirs = winner.stamps as Stamps;
  const stampOf = (stamps: Stamps, field: string) => stamps[field] ?? stamps["*"];
  return Object.keys(own).filter(
    (field) =>
      !UNTOLD.includes(field) &&
      fresh.stamps.includes(stampOf(mine, field)) &&
      stampOf(theirs, field) > stampOf(mine, field) &&
      !sameJson(own[field] as Json, winner[field]),
  );
}

const UNTOLD = ["type", "v", "by", "stamps", "asks", "acts", "photos"];
