/** A hamlet's list in walking order, searched and filtered. */
import { useMemo, useState } from "preact/hooks";
import { fold, matches } from "../../core/names.ts";
import { print } from "../../core/route.ts";
import type { HouseholdRow } from "../../data/contract.ts";
import { useApp, useLoad } from "../context.ts";
import { Choice, LinkButton, OutcomeMark, Progress, Screen, Text, WhereMark } from "../parts.tsx";

type Filter = "all" | "open" | "back" | "done";

const SHOWN: Record<Filter, (row: HouseholdRow) => boolean> = {
  all: () => true,
  open: (row) => row.outcome !== "signed" && row.counts,
  back: (row) => row.outcome === "come_back" || row.outcome === "nobody_home",
  done: (row) => row.outcome === "signed",
};

// Where the person was in each list: a household and back again must not begin the list anew.
const left = new Map<string, { query: string; filter: Filter }>();

export function Hamlet({ id }: { readonly id: string }) {
  const { say } = useApp();
  const hamlet = useLoad((data) => data.hamlets(), [])?.find((one) => one.id === id);
  const rows = useLoad((data) => data.households(id), [id]);
  const [{ query, filter }, set] = useState(left.get(id) ?? { query: "", filter: "all" as Filter });
  const change = (next: { query: string; filter: Filter }) => {
    left.set(id, next);
    set(next);
  };
  const folded = useMemo(
    () =>
      rows?.map((row) => ({
        row,
        text: fold(`${row.name} ${row.place.house ?? ""} ${row.place.lane ?? ""}`),
      })),
    [rows],
  );
  const shown = folded?.filter(({ row, text }) => SHOWN[filter](row) && matches(text, query));
  return (
    <Screen
      back
      pair
      title={hamlet ? `${hamlet.kind} ${hamlet.name}` : ""}
      actions={
        <>
          <LinkButton href={print({ at: "meeting", hamlet: id })}>{say("hamlet.meeting")}</LinkButton>
          <LinkButton href={print({ at: "add", hamlet: id })}>{say("hamlet.add")}</LinkButton>
        </>
      }
    >
      {hamlet && <Progress signed={hamlet.signed} total={hamlet.total} target={hamlet.target} />}
      <Text
        type="search"
        label={say("hamlet.search")}
        value={query}
        onInput={(text) => change({ query: text, filter })}
      />
      <Choice
        side
        label={say("hamlet.filter")}
        value={filter}
        onChoose={(one) => change({ query, filter: one })}
        options={(["all", "open", "back", "done"] as const).map((one) => [one, say(`hamlet.filter.${one}`)])}
      />
      <p class="hint" role="status">
        {shown && (shown.length ? say("hamlet.shown", { n: shown.length }) : say("hamlet.nobody"))}
      </p>
      <ol class="rows">
        {shown?.map(({ row }) => (
          <li key={row.id}>
            <a class="row" href={print({ at: "household", hamlet: id, household: row.id })}>
              <strong>{row.name}</strong>
              <span class="place">{[row.place.house, row.place.lane].filter(Boolean).join(", ")}</span>
              <OutcomeMark outcome={row.outcome} counts={row.counts} />
              {row.where && row.where !== "received" && <WhereMark where={row.where} />}
            </a>
          </li>
        ))}
      </ol>
    </Screen>
  );
}
