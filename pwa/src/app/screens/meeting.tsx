/** Meeting mode: many households that signed one paper sheet, one pledge each, saved together. */
import { useState } from "preact/hooks";
import { fold, matches } from "../../core/names.ts";
import { localDay, date as written } from "../../core/wording.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { useDraft } from "../draft.ts";
import { Button, Place, Screen, Text, Tick } from "../parts.tsx";
import { back } from "../trail.ts";

interface Values {
  readonly date: string;
  readonly sheet: string;
  readonly readAloud: boolean;
  /** ULIDs of the households that are ticked. */
  readonly chosen: readonly string[];
}

export function Meeting({ hamlet }: { readonly hamlet: string }) {
  const { field, say, tell } = useApp();
  const rows = useLoad((data) => data.households(hamlet), [hamlet]);
  const today = localDay(Date.now());
  const [values, change] = useDraft<Values>(`meeting/${hamlet}`, async () => {
    return { date: today, sheet: "1", readAloud: false, chosen: [] };
  });
  const [query, setQuery] = useState("");
  const [reviewing, setReviewing] = useState(false);
  const [wrong, setWrong] = useState<{ date?: string; sheet?: string; none?: string }>({});
  const [busy, work] = useWork();
  if (!rows || !values)
    return (
      <Screen back title={say("meeting.title")}>
        {null}
      </Screen>
    );
  const open = rows.filter((row) => row.outcome !== "signed" && row.counts);
  const { date, sheet, readAloud } = values;
  const chosen = new Set(values.chosen);
  const ticked = open.filter((row) => chosen.has(row.id));
  const tick = (id: string, on: boolean) => {
    if (on) chosen.add(id);
    else chosen.delete(id);
    change({ chosen: [...chosen] });
  };
  const review = () => {
    const number = /^\d{1,3}$/.test(sheet) ? Number(sheet) : 0;
    const found = {
      ...(date && date <= today ? {} : { date: say("meeting.bad_date") }),
      ...(number >= 1 ? {} : { sheet: say("meeting.bad_sheet") }),
      ...(ticked.length ? {} : { none: say("meeting.none") }),
    };
    setWrong(found);
    if (Object.keys(found).length === 0) setReviewing(true);
  };
  const save = () =>
    work(async () => {
      await field.meeting(hamlet, {
        ...{ date, sheet: Number(sheet), readAloud },
        households: ticked.map((row) => ({
          id: row.id,
          signer: row.name,
          role: "head" as const,
          method: "paper_signed" as const,
        })),
      });
      tell(say("meeting.saved", { n: ticked.length }));
      back();
    });
  if (reviewing)
    return (
      <Screen
        title={say("meeting.review")}
        actions={
          <>
            <Button main busy={busy} onClick={save}>
              {say("meeting.save", { n: ticked.length })}
            </Button>
            <Button onClick={() => setReviewing(false)}>{say("action.back")}</Button>
          </>
        }
      >
        <p>{say("meeting.summary", { n: ticked.length, sheet, date: written(date) })}</p>
        <ol class="summary">
          {ticked.map((row) => (
            <li key={row.id}>{row.name}</li>
          ))}
        </ol>
      </Screen>
    );
  const shown = open.filter((row) => matches(fold(`${row.name} ${row.place.house ?? ""}`), query));
  return (
    <Screen
      back
      title={say("meeting.title")}
      actions={
        <Button main onClick={review}>
          {say("meeting.review")} ({ticked.length})
        </Button>
      }
    >
      <p>{say("meeting.explain")}</p>
      <Text
        type="date"
        label={say("meeting.date")}
        value={date}
        max={today}
        onInput={(text) => change({ date: text })}
        wrong={wrong.date ?? null}
      />
      <Text
        numeric
        label={say("meeting.sheet")}
        value={sheet}
        onInput={(text) => change({ sheet: text })}
        max={3}
        wrong={wrong.sheet ?? null}
      />
      <Tick on={readAloud} onTick={(on) => change({ readAloud: on })}>
        {say("meeting.read_aloud")}
      </Tick>
      <Text type="search" label={say("hamlet.search")} value={query} onInput={setQuery} />
      <p class="hint" role="status">
        {say("meeting.chosen", { n: ticked.length })}
      </p>
      {wrong.none && (
        <p class="wrong" role="alert">
          {wrong.none}
        </p>
      )}
      {open.length === 0 && <p>{say("meeting.all_signed")}</p>}
      <ul class="rows">
        {shown.map((row) => (
          <li key={row.id}>
            <Tick on={chosen.has(row.id)} onTick={(on) => tick(row.id, on)}>
              <strong>{row.name}</strong> <Place place={row.place} />
            </Tick>
          </li>
        ))}
      </ul>
    </Screen>
  );
}
