/** A hamlet's list in walking order, searched and filtered. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { fold, matches } from "../../core/names.ts";
import { print } from "../../core/route.ts";
import { hamletName } from "../../core/wording.ts";
import type { HouseholdRow } from "../../data/contract.ts";
import { useApp, useLoad } from "../context.ts";
import {
  Choice,
  LinkButton,
  Loading,
  OutcomeMark,
  Place,
  Progress,
  Screen,
  Text,
  WhereMark,
} from "../parts.tsx";

type Filter = "all" | "open" | "back" | "done";

const SHOWN: Record<Filter, (row: HouseholdRow) => boolean> = {
  all: () => true,
  open: (row) => row.outcome !== "signed" && row.counts,
  back: (row) => row.outcome === "come_back" || row.outcome === "nobody_home",
  done: (row) => row.outcome === "signed",
};

/** Where the person was in a list: a household and back again must not begin the walk anew. */
interface Left {
  readonly query: string;
  readonly filter: Filter;
  /** The row that was opened last, and how far down the list it stood. */
  readonly opened: { readonly id: string; readonly row: number } | null;
}

const BEGINNING: Left = { query: "", filter: "all", opened: null };
const left = new Map<string, Left>();

export function Hamlet({ id }: { readonly id: string }) {
  const { say } = useApp();
  const loaded = useLoad(
    async (data) => {
      const [hamlets, rows, sync] = await Promise.all([
        data.hamlets(),
        data.households(id),
        data.syncState(),
      ]);
      const arriving = sync.running && sync.lastSync === null;
      return { hamlet: hamlets.find((one) => one.id === id), rows, arriving };
    },
    [id],
  );
  const { hamlet, rows, arriving } = loaded ?? {};
  const [state, set] = useState(left.get(id) ?? BEGINNING);
  const { query, filter } = state;
  const change = (part: Partial<Left>) => {
    const next = { ...state, ...part };
    left.set(id, next);
    set(next);
  };
  const list = useRef<HTMLOListElement>(null);
  const returning = useRef(state.opened);
  const folded = useMemo(
    () =>
      rows?.map((row) => ({
        row,
        text: fold(`${row.name} ${row.place.house ?? ""} ${row.place.lane ?? ""}`),
      })),
    [rows],
  );
  const shown = folded?.filter(({ row, text }) => SHOWN[filter](row) && matches(text, query));
  useLayoutEffect(() => {
    const { current: was } = returning;
    if (!shown || !was) return;
    // The row itself, or what now stands in its place: a filter may have let it go.
    const at = shown.findIndex(({ row }) => row.id === was.id);
    const link =
      list.current?.children[at < 0 ? Math.min(was.row, shown.length - 1) : at]?.querySelector("a");
    link?.scrollIntoView({ block: "center" });
    link?.focus({ preventScroll: true });
    returning.current = null;
  }, [loaded]);
  if (!hamlet) return <Loading />;
  return (
    <Screen
      back
      pair
      resumed={state.opened !== null}
      title={hamletName(hamlet)}
      actions={
        !hamlet.gone && (
          <>
            <LinkButton href={print({ at: "meeting", hamlet: id })}>{say("hamlet.meeting")}</LinkButton>
            <LinkButton href={print({ at: "add", hamlet: id })}>{say("hamlet.add")}</LinkButton>
          </>
        )
      }
    >
      {hamlet.gone ? (
        <p>{say("hamlet.gone")}</p>
      ) : (
        <Progress signed={hamlet.signed} total={hamlet.total} target={hamlet.target} />
      )}
      {arriving && <p role="status">{say("home.on_its_way")}</p>}
      {!hamlet.gone && (
        <nav class="links">
          {(["models", "units", "outreach"] as const).map((at) => (
            <LinkButton key={at} href={print({ at, hamlet: id })}>
              {say(`nav.${at}`)}
            </LinkButton>
          ))}
        </nav>
      )}
      <Text
        bare
        type="search"
        label={say("hamlet.search")}
        value={query}
        onInput={(text) => change({ query: text })}
      />
      <Choice
        side
        label={say("hamlet.filter")}
        value={filter}
        onChoose={(one) => change({ filter: one })}
        options={(["all", "open", "back", "done"] as const).map((one) => [one, say(`hamlet.filter.${one}`)])}
      />
      <p class="hint" role="status">
        {shown && (shown.length ? say("hamlet.shown", { n: shown.length }) : say("hamlet.nobody"))}
      </p>
      <ol class="rows" ref={list}>
        {shown?.map(({ row }, at) => (
          <li key={row.id}>
            <a
              class="row"
              href={print({ at: "household", hamlet: id, household: row.id })}
              onClick={() => left.set(id, { query, filter, opened: { id: row.id, row: at } })}
            >
              <strong>{row.name}</strong>
              <Place place={row.place} />
              <OutcomeMark outcome={row.outcome} counts={row.counts} />
              {row.where && row.where !== "received" && <WhereMark where={row.where} />}
            </a>
          </li>
        ))}
      </ol>
    </Screen>
  );
}
