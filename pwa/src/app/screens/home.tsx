/** The hamlets of this person, how far each has come, and whether everything has reached the commune. */
import { print } from "../../core/route.ts";
import { hamletName, localDay, moment } from "../../core/wording.ts";
import { type Field, isAllReceived, type SyncProblem } from "../../data/contract.ts";
import { useApp, useLoad } from "../context.ts";
import { LinkButton, Progress, Screen, Warning } from "../parts.tsx";
import { moreWords } from "../words.ts";

/** What stands until a person does something about it. */
const STANDING = new Set<SyncProblem>(["storage_full", "not_saved", "unknown", "send_only", "clock"]);

/** Its code and words come while the PIN is typed. Without a signal on the very first visit they may be missing. */
const board = Promise.all([import("./registers/board.tsx"), moreWords()]).then(
  ([found]) => found,
  () => null,
);

/** Read together and shown together: nothing moves under the thumb, or under who has tabbed to it. */
async function read(data: Field) {
  const [hamlets, sync, problems, storage, onBoard] = await Promise.all([
    data.hamlets(),
    data.syncState(),
    data.problems(),
    data.storage(),
    board.then(async (found) => found && { ...found, news: await readBoard(data, found) }),
  ]);
  return {
    hamlets,
    sync,
    problems: problems.filter(({ where }) => where !== "held").length,
    storage,
    board: onBoard,
  };
}

type BoardCode = NonNullable<Awaited<typeof board>>;

async function readBoard(data: Field, { readNews }: BoardCode) {
  return readNews(await data.registers(), localDay(Date.now()));
}

export function Home() {
  const { say } = useApp();
  const shown = useLoad(read);
  const waiting = shown?.sync.waiting ?? 0;
  return (
    <Screen
      pair
      title={say("home.title")}
      actions={
        <>
          <a class="button main" href={print({ at: "sync" })}>
            {say("home.sync")}
            {waiting > 0 && ` (${waiting})`}
          </a>
          <LinkButton href={print({ at: "settings" })}>{say("home.settings")}</LinkButton>
        </>
      }
    >
      {shown ? <Shown {...shown} /> : <p class="hint loading">{say("later.loading")}</p>}
    </Screen>
  );
}

function Shown({ hamlets, sync, problems, storage, board }: Awaited<ReturnType<typeof read>>) {
  const { say } = useApp();
  // Before the first sync has ended nothing is missing yet: it is on its way.
  const arriving = sync.running && sync.lastSync === null;
  return (
    <>
      {!storage.persisted && <Warning>{say("home.not_persisted")}</Warning>}
      {sync.problem && STANDING.has(sync.problem) && <Warning>{say(`sync.${sync.problem}`)}</Warning>}
      {storage.low && <Warning>{say("home.storage_low")}</Warning>}
      <p class="hint">
        {sync.lastSync ? say("sync.last", { when: moment(sync.lastSync) }) : say("sync.never")}
        {sync.waiting > 0 && ` · ${say("home.waiting", { n: sync.waiting })}`}
        {sync.held > 0 && ` · ${say("sync.held", { n: sync.held })}`}
        {isAllReceived(sync) && ` · ${say("sync.nothing")}`}
      </p>
      {problems > 0 && (
        <a class="warning" href={print({ at: "sync" })}>
          {say("home.problems", { n: problems })}
        </a>
      )}
      {board && <board.Board news={board.news} hamlets={hamlets} />}
      {hamlets.length === 0 && <p role="status">{say(arriving ? "home.on_its_way" : "home.none")}</p>}
      <ul class="cards">
        {hamlets.map((hamlet) => (
          <li key={hamlet.id}>
            <a class="card" href={print({ at: "hamlet", hamlet: hamlet.id })}>
              <h2>{hamletName(hamlet)}</h2>
              {hamlet.gone ? (
                <p class="hint">{say("hamlet.gone")}</p>
              ) : hamlet.kind ? (
                <Progress signed={hamlet.signed} total={hamlet.total} target={hamlet.target} />
              ) : (
                <p class="hint">{say(arriving ? "home.on_its_way" : "home.arriving")}</p>
              )}
              {hamlet.waiting > 0 && <p class="where phone">{say("home.waiting", { n: hamlet.waiting })}</p>}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
