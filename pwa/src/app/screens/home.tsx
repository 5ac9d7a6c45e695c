/** The hamlets of this person, how far each has come, and whether everything has reached the commune. */
import { print } from "../../core/route.ts";
import { hamletName, moment } from "../../core/wording.ts";
import { useApp, useLoad } from "../context.ts";
import { later } from "../later.tsx";
import { LinkButton, Progress, Screen, Warning } from "../parts.tsx";

const Board = later(() => import("./registers/board.tsx").then(({ Board }) => Board));

export function Home() {
  const { say } = useApp();
  const hamlets = useLoad((data) => data.hamlets());
  const sync = useLoad((data) => data.syncState());
  const problems = useLoad((data) => data.problems())?.length ?? 0;
  const storage = useLoad((data) => data.storage());
  return (
    <Screen
      title={say("home.title")}
      actions={
        <>
          <a class="button main" href={print({ at: "sync" })}>
            {say("home.sync")}
            {sync && sync.waiting > 0 && ` (${sync.waiting})`}
          </a>
          <LinkButton href={print({ at: "settings" })}>{say("home.settings")}</LinkButton>
        </>
      }
    >
      {storage && !storage.persisted && <Warning>{say("home.not_persisted")}</Warning>}
      {storage?.low && <Warning>{say("home.storage_low")}</Warning>}
      {sync && (
        <p class="hint">
          {sync.lastSync ? say("sync.last", { when: moment(sync.lastSync) }) : say("sync.never")}
          {" · "}
          {sync.waiting ? say("home.waiting", { n: sync.waiting }) : say("sync.nothing")}
        </p>
      )}
      {problems > 0 && (
        <a class="warning" href={print({ at: "sync" })}>
          {say("home.problems", { n: problems })}
        </a>
      )}
      <Board />
      {hamlets?.length === 0 && <p>{say("home.none")}</p>}
      <ul class="cards">
        {hamlets?.map((hamlet) => (
          <li key={hamlet.id}>
            <a class="card" href={print({ at: "hamlet", hamlet: hamlet.id })}>
              <h2>{hamletName(hamlet)}</h2>
              {hamlet.kind ? (
                <Progress signed={hamlet.signed} total={hamlet.total} target={hamlet.target} />
              ) : (
                <p class="hint">{say("home.arriving")}</p>
              )}
              {hamlet.waiting > 0 && <p class="where phone">{say("home.waiting", { n: hamlet.waiting })}</p>}
            </a>
          </li>
        ))}
      </ul>
    </Screen>
  );
}
