/** Where the records are: what waits, what came, what needs attention, and what the month has cost. */
import { useState } from "preact/hooks";
import { ofRecord, print } from "../../core/route.ts";
import { date, moment } from "../../core/wording.ts";
import { isAllReceived, type ProblemView } from "../../data/contract.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { Button, LinkButton, Screen, Sure, Tick, Warning, WhereMark } from "../parts.tsx";
import { wordsOf } from "./household.tsx";

/** Loaded with this one: it is opened from here. */
export { Courier } from "./courier.tsx";

export function Sync() {
  const { field, say, tell } = useApp();
  const state = useLoad((data) => data.syncState());
  const problems = useLoad((data) => data.problems());
  const photos = useLoad((data) => data.photos());
  const [busy, work] = useWork();
  const now = () =>
    work(async () => {
      const { problem } = await field.syncNow();
      if (!problem) tell(say("sync.done"));
    });
  if (!state)
    return (
      <Screen back title={say("sync.title")}>
        {null}
      </Screen>
    );
  const running = busy || state.running;
  return (
    <Screen
      back
      title={say("sync.title")}
      actions={
        <Button main busy={running} onClick={now}>
          {running ? say("sync.running") : say("sync.now")}
        </Button>
      }
    >
      {state.problem && <Warning>{say(`sync.${state.problem}`)}</Warning>}
      <div role="status">
        <ul class="facts">
          <li>{state.lastSync ? say("sync.last", { when: moment(state.lastSync) }) : say("sync.never")}</li>
          {state.waiting > 0 && <li>{say("sync.waiting", { n: state.waiting })}</li>}
          {isAllReceived(state) && <li>{say("sync.nothing")}</li>}
          {state.carried > 0 && <li>{say("sync.carried", { n: state.carried })}</li>}
          {state.held > 0 && <li>{say("sync.held", { n: state.held })}</li>}
          {state.refused > 0 && <li>{say("sync.refused", { n: state.refused })}</li>}
          {state.said.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
          {photos && photos.waiting > 0 && (
            <li>
              {say("sync.photos", { n: photos.waiting, kb: photos.waitingBytes / 1000 })}{" "}
              {photos.paused && say("sync.photos.paused")}
            </li>
          )}
          {photos && photos.refused > 0 && (
            <li>
              {say("sync.photos.refused", { n: photos.refused })}: {photos.reasons.join(" ")}
            </li>
          )}
          {photos && photos.erased > 0 && <li>{say("sync.photos.erased", { n: photos.erased })}</li>}
          <li>{say("sync.bytes", { kb: state.bytesThisMonth / 1000 })}</li>
        </ul>
      </div>
      {photos && (photos.waiting > 0 || photos.mobileData) && (
        <Tick on={photos.mobileData} onTick={(yes) => work(() => field.allowMobileData(yes))}>
          {say("sync.photos.mobile")}
        </Tick>
      )}
      {problems && problems.length > 0 && (
        <>
          <h2>{say("sync.problems")}</h2>
          <ul class="rows">
            {problems.map((problem) => (
              <li key={`${problem.id} ${problem.where}`}>
                <a
                  class="row"
                  {...(problem.name
                    ? { href: print(ofRecord(problem.kind, problem.hamlet, problem.id)) }
                    : {})}
                >
                  <strong>
                    {problem.kind === "inspection"
                      ? say("inspection.of", { date: date(problem.name) })
                      : problem.name ||
                        say("left.household", {
                          hamlet: `${problem.place.kind} ${problem.place.name}`.trim(),
                        })}
                  </strong>
                  {problem.act && (
                    <span>
                      {wordsOf(say, problem.act)} · {date(problem.act.at)}
                    </span>
                  )}
                  <WhereMark where={problem.where} />
                  <span class="place">{problem.reason}</span>
                </a>
                {problem.where === "refused" && <LetGo of={problem} />}
              </li>
            ))}
          </ul>
        </>
      )}
      <div class="stack">
        <LinkButton href={print({ at: "courier" })}>{say("sync.courier")}</LinkButton>
      </div>
    </Screen>
  );
}

/** What the commune did not take may leave the phone, and does not come back: so it is asked once more. */
function LetGo({ of: { hamlet, doc } }: { readonly of: ProblemView }) {
  const { field, say } = useApp();
  const [busy, work] = useWork();
  const [asking, ask] = useState(false);
  if (!asking) return <Button onClick={() => ask(true)}>{say("left.let_go")}</Button>;
  return (
    <Sure
      question={say("left.let_go.sure")}
      busy={busy}
      onYes={() => work(() => field.dismiss(hamlet, doc))}
      onNo={() => ask(false)}
    />
  );
}
