/** What is recorded about units, inspections and outreach, as drafts to be saved. */
import { answered, applicable, cleaned, type Photo, problems } from "../../core/checklist.ts";
import { type Changes, edited, tidy } from "../../core/edit.ts";
import { type Json, sameJson } from "../../core/json.ts";
import { FieldError } from "../contract.ts";
import { databaseOf, placeField } from "../forms.ts";
import type { Leaf, Session } from "../records.ts";
import type { Draft } from "../save.ts";
import type { ChecklistView, FollowUp, Inspected, OutreachFacts, UnitFacts, UnitStatus } from "./contract.ts";
import { photosOf } from "./views.ts";

/** A write of some fields (undefined clears one) and photographs; null where it would change nothing. */
export function writing(
  session: Session,
  hamlet: string,
  id: string,
  base: Leaf | null,
  { fields = {}, photos = [] }: Pick<Changes, "fields" | "photos">,
): Draft | null {
  const type = id.slice(0, id.indexOf(":"));
  const by = session.account.user.id;
  const before = base?.body ?? {};
  const changed = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) =>
      value === undefined ? name in before : !(name in before) || !sameJson(before[name] as Json, value),
    ),
  );
  if (base && Object.keys(changed).length === 0 && photos.length === 0) return null;
  const make: Draft["make"] = ({ stamp }, base) => ({
    body: edited(base?.body ?? null, type, { fields: changed, photos }, stamp, by),
    acts: [],
  });
  return { db: databaseOf(hamlet), id, base, make };
}

/** The fields of an inspection. Raises FieldError `invalid` where the checklist is not answered as it asks. */
export function inspected(
  checklist: ChecklistView,
  base: Leaf | null,
  what: Inspected,
  minted: () => string,
): Pick<Changes, "photos"> & { readonly fields: Readonly<Record<string, Json | undefined>> } {
  const wanted = Object.entries(what.photos).flatMap(([item, ids]) => ids.map((id) => ({ id, item })));
  // What was taken back stays so, whoever did it: a form that shows it still would save what nobody sees.
  const held = photosOf(base?.body ?? {});
  const back = wanted.find(({ id }) => held.some((one) => "removes" in one && one.removes === id));
  if (back) throw new FieldError("invalid", labelOf(checklist, back.item));
  const values = cleaned(checklist, what.values, wanted);
  const answers = answered(values, wanted);
  const [wrong] = problems(checklist, answers);
  if (wrong) throw new FieldError("invalid", labelOf(checklist, wrong.item));
  const asked = applicable(checklist, answers).map(({ id }) => id);
  const { slug, version } = checklist;
  return {
    fields: {
      date: what.date,
      answers: { checklist: slug, version, values: values as unknown as Json },
      findings: tidy(what.findings) || undefined,
      follow_up: what.followUp ? followUp(what.followUp) : undefined,
    },
    photos: photoChanges(
      held,
      wanted.filter(({ item }) => asked.includes(item)),
      minted,
    ),
  };
}

/** What a set of photographs takes to show these: a removal is an element too. */
function photoChanges(held: readonly Photo[], wanted: readonly Photo[], minted: () => string): Photo[] {
  const known = new Set(held.map(({ id }) => id));
  const standing = Object.values(answered({}, held)).flatMap((ids) => ids as readonly string[]);
  const gone = standing.filter((id) => !wanted.some((one) => one.id === id));
  return [
    ...wanted.filter(({ id }) => !known.has(id)),
    ...gone.map((removes) => ({ id: minted(), removes })),
  ];
}

export function followUp({ what, due, done }: FollowUp): Json {
  return { what: tidy(what), due, ...(done ? { done } : {}) };
}

function labelOf({ sections }: ChecklistView, id: string): string {
  return sections.flatMap(({ items }) => items).find((item) => item.id === id)?.label ?? id;
}

export function unitFields(
  { name, kind, inScope, place, status }: Partial<UnitFacts> & { readonly status?: UnitStatus },
  today: string,
): Readonly<Record<string, Json | undefined>> {
  return {
    ...(name === undefined ? {} : { name: tidy(name) }),
    ...(kind === undefined ? {} : { kind }),
    ...(inScope === undefined ? {} : { in_scope: inScope }),
    ...(place === undefined ? {} : { place: placeField(place).place }),
    ...(status === undefined ? {} : { status: { is: status, since: today } }),
  };
}

export function outreachFields(what: OutreachFacts): Readonly<Record<string, Json | undefined>> {
  const { kind, date, place, present, topics, note } = what;
  return { kind, date, place: tidy(place), present, topics: [...topics], note: tidy(note) || undefined };
}
