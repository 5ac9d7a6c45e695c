/**
 * The replicator: one sync is one request to `/db/_exchange` (more where a batch is full, the clock was wrong or
 * the server lost its position), and each part of the streamed answer is committed as it comes.
 *
 * Everything is idempotent: whatever is cut is sent again, and a revision that the server has twice changes
 * nothing. Where the exchange is refused, the same records travel by plain CouchDB (plain.ts).
 */

import {
  commitAgain,
  commitGone,
  commitHeard,
  commitHeld,
  commitLost,
  commitMissing,
  commitOutcomes,
  commitRows,
  dropReceived,
  leaving,
} from "./commit.ts";
import { compact } from "./compact.ts";
import type { SyncProblem } from "./contract.ts";
import { isFull, meta, meter, type RevKey, type SyncNote, write } from "./db.ts";
import { type Batch, gather, type Way } from "./gather.ts";
import { lines, NoLink, Refused, send } from "./link.ts";
import type { Session } from "./records.ts";
import { BadAnswer, type Part, parsePart } from "./wire.ts";

/** What one request came to. */
interface Round {
  /** To be run again at once: rows are left, the clock was shifted, a position was lost. */
  again: boolean;
  /** Something was committed; without it, another round would only repeat this one. */
  progress: boolean;
  /** Why some of what went was not taken now: it stays as it is and waits for another sync. */
  later: string | null;
  /** Revisions that break a rule: they go once in a sync. */
  readonly refused: readonly string[];
}

const shifting = async () => (await import("./apart.ts")).shift;

const MOST_SHIFTS = 2;
const ROUNDS = 500;

/** Replicates until nothing is left to do. Null where another tab is at it. Raises nothing: see the result. */
export async function replicate(session: Session, refusedToo: boolean): Promise<SyncProblem | "done" | null> {
  return session.env.alone(`camket-sync-${session.account.id}`, async () => {
    const before = await meta(session.db, "sync");
    if (refusedToo) await commitAgain(session);
    const ended = await rounds(session, refusedToo, before?.plain === true).then(
      (end) => ({ problem: null, ...end }),
      (error) => ({
        ...{ problem: problemOf(error), plain: before?.plain === true, later: before?.later ?? null },
      }),
    );
    const { problem } = ended;
    await note(session, {
      lastSync: problem === null ? session.env.now() : (before?.lastSync ?? null),
      ...ended,
      ...(problem !== null && before?.unknown ? { unknown: true } : {}),
    });
    return problem ?? "done";
  });
}

/**
 * Resolves to whether the exchange was refused and plain CouchDB spoken, and to what was put off. Where that was so the last time (`plain`), the
 * exchange is tried with nothing in it: the records of a whole batch shall not travel twice each time.
 */
async function rounds(session: Session, refusedToo: boolean, plain: boolean): Promise<End> {
  let way: Way = plain ? "trial" : "exchange";
  let shifts = 0;
  let later: string | null = null;
  const put = new Set<string>();
  const onShift = () => {
    if (++shifts > MOST_SHIFTS) throw new ClockTrouble();
  };
  for (let left = ROUNDS; left > 0; left--) {
    const { offset = 0 } = (await meta(session.db, "clock")) ?? {};
    const batch = await gather(session, offset, refusedToo, way, put);
    const run = way === "plain" ? plainly : exchange;
    const round = await run(session, batch, onShift).catch((error) => {
      if (way === "plain" || !isUnknownHere(error)) throw error;
      return null;
    });
    if (round === null) {
      way = "plain";
      continue;
    }
    // What was put off waits for another sync; and the plain way never sends one revision twice.
    if (round.later !== null || way === "plain") for (const { rev } of batch.leaves) put.add(rev);
    for (const rev of round.refused) put.add(rev);
    later = round.later ?? later;
    if (!round.again && !batch.more) break;
    if (!round.progress && way !== "trial") throw new BadAnswer("a round that changed nothing");
    if (way === "trial") way = "exchange";
  }
  await compact(session);
  return { plain: way === "plain", later };
}

type End = Pick<Round, "later"> & { readonly plain: boolean };

async function plainly(session: Session, batch: Batch, onShift: () => void): Promise<Round> {
  const { plain } = await import("./apart.ts");
  const { again, later } = await plain.plainSync(session, batch, onShift);
  return { again, progress: true, later, refused: [] };
}

class ClockTrouble extends Error {}

/** The server, or something before it, does not offer the exchange. */
function isUnknownHere(error: unknown): boolean {
  return error instanceof Refused && [404, 405, 501].includes(error.status);
}

async function exchange(session: Session, batch: Batch, onShift: () => void): Promise<Round> {
  const answer = await leaving(session, batch.leaves, () =>
    send(session.env, "/db/_exchange", {
      credential: session.credential,
      body: batch.body,
      meter: meter(session),
    }),
  );
  const stream: Stream = {
    ...{ clock: 0, held: [], received: [], missing: [], refused: [] },
    ...{ progress: false, again: false, done: false, later: null },
  };
  try {
    // Read to the very end, so that the browser can tell what the answer took.
    for await (const line of lines(answer))
      if (!stream.done) await commit(session, batch, stream, parsePart(line), onShift);
  } catch (error) {
    if (!stream.done) throw error;
  }
  if (!stream.done) throw new NoLink(true);
  return stream;
}

interface Stream extends Round {
  clock: number;
  held: readonly string[];
  received: RevKey[];
  missing: Extract<Part, { kind: "missing" }>[];
  refused: string[];
  done: boolean;
}

async function commit(
  session: Session,
  batch: Batch,
  stream: Stream,
  part: Part,
  onShift: () => void,
): Promise<void> {
  switch (part.kind) {
    case "hello":
      stream.clock = part.clock;
      stream.held = part.dbs;
      // Kept for the end: leaves received before this stream began have their rows in it.
      stream.received = await receivedBefore(session);
      await commitHeld(session, part.dbs);
      stream.again = part.dbs.some((name) => !(name in batch.request.dbs));
      stream.progress = stream.again;
      return;
    case "skew":
      onShift();
      await (await shifting()).shiftAll(session, part.skew, batch); // nothing of it was stored
      stream.again = stream.progress = stream.done = true;
      return;
    case "outcomes": {
      const late = part.outcomes.filter(({ is }) => is === "clock");
      if (late.length > 0) {
        onShift();
        await (await shifting()).shiftSome(session, part.db, late, stream.clock);
        stream.again = true;
      }
      const others = part.outcomes.filter(({ is }) => is !== "clock");
      stream.received.push(...(await commitOutcomes(session, part.db, others)));
      for (const { rev, is } of others)
        if (is === "forbidden" || is === "too_large") stream.refused.push(rev);
      stream.progress = true;
      return;
    }
    case "rows":
      await commitRows(session, part.db, part.rows, { position: part.position }, batch.sent);
      if (part.rows.length > 0) stream.progress = true;
      if (part.more) stream.again = true;
      return;
    case "lost":
      await commitLost(session, part.db);
      stream.again = stream.progress = true;
      return;
    case "gone":
      // Held, but there is nothing in it yet (a hamlet just made): to be asked for again, not to be forgotten.
      if (!stream.held.includes(part.db)) await commitGone(session, part.db);
      return;
    case "missing":
      await commitMissing(session, part.db, part.missing);
      stream.missing.push(part);
      if (part.missing.length > 0) stream.again = stream.progress = true;
      return;
    case "done":
      // Only now: what a late leaf was written upon has its outcome further down.
      for (const { db, missing } of stream.missing)
        if (missing.length > 0) await (await shifting()).shiftLate(session, db, missing);
      await commitHeard(session, asking(batch));
      if (!stream.again) await dropReceived(session, stream.received);
      stream.later = part.later;
      if (part.later !== null && batch.leaves.length > 0) stream.progress = true;
      stream.done = true;
      return;
  }
}

const asking = ({ request }: Batch) =>
  Object.entries(request.dbs).flatMap(([name, { have }]) => (have ? [name] : []));

async function receivedBefore(session: Session): Promise<RevKey[]> {
  const own = await session.db.getAll("own");
  return own.filter(({ state }) => state === "received").map(({ db, id, rev }) => [db, id, rev]);
}

async function note(session: Session, sync: SyncNote): Promise<void> {
  await write(session.db, ["meta"], (tx) => tx.objectStore("meta").put(sync, "sync")).catch(() => {});
  session.env.channel.post("sync");
}

/** What went wrong, as a key of the catalogues. */
export function problemOf(error: unknown): SyncProblem {
  if (error instanceof NoLink) return error.begun ? "cut" : "offline";
  if (error instanceof ClockTrouble) return "clock";
  if (error instanceof Refused)
    return error.status === 401 ? "revoked" : error.status === 403 ? "send_only" : "server";
  if (error instanceof BadAnswer) return "server";
  return isFull(error) ? "storage_full" : "not_saved";
}
