/** What the volunteer wrote and does not stand: what is kept instead, and why. */
import type { Json } from "../../../core/json.ts";
import { isObject } from "../../../core/json.ts";
import { date, type Say } from "../../../core/wording.ts";
import type { Key } from "../../../core/words/vi.ts";
import type { OverruledView } from "../../../data/registers/contract.ts";
import { useApp, useWork } from "../../context.ts";
import { Button } from "../../parts.tsx";
import { inWords } from "./items.tsx";
import { useRegisters } from "./parts.tsx";

interface Props {
  readonly hamlet: string;
  /** `household:<ulid>`, `unit:<ulid>` … */
  readonly id: string;
}

export function Overruled({ hamlet, id }: Props) {
  const { field, say } = useApp();
  const [busy, work] = useWork();
  const found = useRegisters((registers) => registers.overruled(hamlet, id), [hamlet, id]);
  if (!found || found.length === 0) return null;
  const kind = id.slice(0, id.indexOf(":"));
  return (
    <section class="warning">
      <p>{say("overruled.lead")}</p>
      {found.map((one) => (
        <p key={`${one.field} ${one.item?.id}`}>
          <strong>{one.item?.label ?? say(LABELS[`${kind}.${one.field}`] ?? "overruled.field")}</strong>
          <br />
          {say("overruled.mine", { value: worded(say, kind, one, one.mine) })}
          <br />
          {say("overruled.kept", { value: worded(say, kind, one, one.kept) })}
          <br />
          {say(`overruled.why.${one.why}`)}
        </p>
      ))}
      <Button busy={busy} onClick={() => work(() => field.seen(hamlet, id))}>
        {say("household.overruled.seen")}
      </Button>
    </section>
  );
}

const LABELS: Readonly<Record<string, Key>> = {
  "household.name": "household.field.name",
  "household.place": "household.field.place",
  "household.order": "household.field.order",
  "household.status": "household.field.status",
  "unit.name": "unit.name",
  "unit.kind": "unit.kind",
  "unit.in_scope": "unit.in_scope",
  "unit.place": "household.field.place",
  "unit.status": "unit.status",
  "inspection.date": "inspection.date",
  "inspection.findings": "inspection.findings",
  "inspection.follow_up": "inspection.follow_up.what",
  "outreach.kind": "outreach.kind",
  "outreach.date": "outreach.date",
  "outreach.place": "outreach.place",
  "outreach.present": "outreach.present",
  "outreach.topics": "outreach.topics",
  "outreach.note": "outreach.note",
};

/** A value as people read it here. */
function worded(say: Say, kind: string, { field, item }: OverruledView, value: Json | undefined): string {
  if (item) return inWords(say, item, value as Parameters<typeof inWords>[2]);
  if (value === undefined || value === null || value === "") return say("overruled.nothing");
  if (typeof value === "boolean") return say(value ? "inspection.yes" : "inspection.no");
  if (typeof value === "number") return String(value);
  if (isObject(value)) return inObject(say, kind, field, value);
  if (typeof value !== "string") return value.map((one) => say(`outreach.topic.${one}` as Key)).join(", ");
  if (field === "date") return date(value);
  return field === "kind" ? say(`${kind}.kind.${value}` as Key) : value;
}

function inObject(say: Say, kind: string, field: string, value: Record<string, Json>): string {
  switch (field) {
    case "place":
      return [value.house, value.lane].filter(Boolean).join(", ");
    case "status":
      return say(`${kind === "unit" ? "unit.status" : "status"}.${value.is}` as Key);
    case "follow_up":
      return `${value.what} (${date(String(value.done ?? value.due))})`;
  }
  return say("overruled.field");
}
