/** One household: what was recorded, where it is, and what can be done now. */
import { useEffect, useState } from "preact/hooks";
import type { Act, VisitResult } from "../../core/documents.ts";
import { print, type Route } from "../../core/route.ts";
import { date, type Say } from "../../core/wording.ts";
import type { ActView, Form } from "../../data/contract.ts";
import { useApp, useExplain, useLoad, useWork } from "../context.ts";
import { later } from "../later.tsx";
import {
  Button,
  LinkButton,
  Loading,
  OutcomeMark,
  Place,
  Returned,
  Screen,
  Sure,
  Warning,
  WhereMark,
} from "../parts.tsx";
import { back } from "../trail.ts";

// Seldom wanted: who walks from door to door does not wait for it.
const Overruled = later(() => import("./apart.ts").then(({ Overruled }) => Overruled));

interface Props {
  readonly hamlet: string;
  readonly id: string;
}

export function Household({ hamlet, id }: Props) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const shown = useLoad((data) => data.household(hamlet, id), [hamlet, id]);
  const user = useLoad((data) => data.account())?.user.id;
  const [form, setForm] = useState<Form>();
  // By its id: a sync in between brings the same act as another object.
  const [undoing, setUndoing] = useState<string | null>(null);
  const [busy, work] = useWork();
  // A form remembers what it was opened on; after a save another is opened, and so it is after a sync.
  useEffect(() => {
    field.openForm(hamlet, id).then(setForm, (error) => explain(error, "gone"));
  }, [shown]);
  if (!shown || !form) return <Loading />;
  const visit = (result: VisitResult) =>
    work(async () => {
      await field.recordVisit(form, result);
      tell(say("household.saved"));
      back();
    });
  const undo = (act: ActView) =>
    work(async () => {
      await field.voidAct(form, act.act.id);
      setUndoing(null);
      tell(say("household.voided"));
    });
  const { review, outcome, into } = shown;
  const merged = shown.status === "merged_into";
  const signed = outcome === "signed";
  const returned = review?.state === "returned";
  const correct: Route = review?.of.startsWith("pledge:")
    ? { at: "amend", of: "household", hamlet, id }
    : { at: "edit", hamlet, household: id };
  return (
    <Screen
      back
      title={shown.name}
      actions={
        !merged && (
          <>
            {returned && (
              <a class="button main" href={print(correct)}>
                {say("review.again")}
              </a>
            )}
            <a
              class={signed || returned ? "button" : "button main"}
              href={print({ at: "sign", hamlet, household: id, step: 0 })}
            >
              {say(signed ? "household.sign_again" : "household.sign")}
            </a>
          </>
        )
      }
    >
      <p class="facts">
        {!merged && <OutcomeMark outcome={outcome} counts={shown.counts} />}
        {shown.where && <WhereMark where={shown.where} />}
      </p>
      <Returned review={review} />
      {shown.reason && <Warning>{shown.reason}</Warning>}
      {shown.overruled.length > 0 && <Overruled hamlet={hamlet} id={`household:${id}`} />}
      <p>
        <Place place={shown.place} />
      </p>
      {shown.status !== "resident" && (
        <p>
          {say(`status.${shown.status}`)} ({date(shown.since)})
        </p>
      )}
      {merged ? (
        <>
          <p>{say("household.merged")}</p>
          {into && (
            <LinkButton href={print({ at: "household", hamlet: shown.hamlet, household: into.id })}>
              {into.name}
            </LinkButton>
          )}
        </>
      ) : (
        <>
          <h2>{say("household.visit")}</h2>
          <div class="stack">
            {(["nobody_home", "come_back", "met"] as const).map((result) => (
              <Button key={result} busy={busy} onClick={() => visit(result)}>
                {say(`household.${result}`)}
              </Button>
            ))}
          </div>
          <h2>{say("household.acts")}</h2>
          {shown.acts.length === 0 && <p>{say("household.no_acts")}</p>}
        </>
      )}
      <ol class="acts">
        {[...shown.acts].reverse().map((view) => (
          <li key={view.act.id} class={view.stands ? "" : "gone"}>
            <p>
              {wordsOf(say, view.act)}
              {!view.stands && ` (${say("household.taken_back")})`}
            </p>
            <p class="hint">
              {date(view.act.at)} · {say(view.act.by === user ? "act.by_me" : "act.by_other")} ·{" "}
              <WhereMark where={view.where} />
            </p>
            {undoing === view.act.id ? (
              <Sure
                question={say("household.void.sure", { what: wordsOf(say, view.act) })}
                busy={busy}
                onYes={() => undo(view)}
                onNo={() => setUndoing(null)}
              />
            ) : (
              view.canVoid && <Button onClick={() => setUndoing(view.act.id)}>{say("household.void")}</Button>
            )}
          </li>
        ))}
      </ol>
      {!merged && (
        <LinkButton href={print({ at: "edit", hamlet, household: id })}>{say("household.edit")}</LinkButton>
      )}
    </Screen>
  );
}

export function wordsOf(say: Say, act: Act): string {
  switch (act.kind) {
    case "visit":
      return say(`act.visit.${act.result}`);
    case "signed":
      return `${say("act.signed", { signer: act.signer })} · ${say(`pledge.method.${act.method}`)}`;
    case "voided":
    case "withdrawn":
      return say(`act.${act.kind}`);
  }
}
