/**
 * When to sync: at once after a save and on a signal, on a timer with backoff and jitter, when asked. Open accounts
 * exchange; locked ones hand in their sealed records.
 */
import { tips } from "../core/revision.ts";
import { localDay } from "../core/wording.ts";
import { accounts, credentialOf } from "./accounts.ts";
import type { SyncProblem, SyncState } from "./contract.ts";
import { type AccountDb, meta, type Own } from "./db.ts";
import type { Env } from "./env.ts";
import { handIn, isStrange, noteProblem, standing } from "./handin.ts";
import type { Session } from "./records.ts";
import { problemOf, replicate } from "./replicator.ts";

/** A saved form often has a brother: a short wait lets them travel together. */
const SOON = 3_000;
const CALM = 15 * 60_000;
const FIRST_RETRY = 15_000;
const LAST_RETRY = 30 * 60_000;
/** How long what the server said of a record is shown. */
const SAID_FOR = 7 * 24 * 3_600_000;

/** What the syncing needs to know of the account in front. */
export interface Front {
  session(): Session | null;
  closed(): Promise<AccountDb | null>;
  /** The office revoked this account's phone, and everything has been handed in. `synced`: it ever has. */
  revoked(device: string, synced: boolean): Promise<void>;
}

const NOTHING = {
  ...{ lastSync: null, problem: null, waiting: 0, carried: 0, carriedAt: null },
  ...{ held: 0, refused: 0, said: [], bytesThisMonth: 0 },
};

export class Syncing {
  private readonly env: Env;
  private readonly front: Front;
  private running: Promise<void> | null = null;
  private failures = 0;
  /** What the last run came to. A phone that cannot write cannot write that down either. */
  private problem: SyncProblem | null = null;
  /** Whether the last run brought all text over. Pictures that wait for a better link are told beside it. */
  private settled = false;
  private cancel: () => void = () => {};

  constructor(env: Env, front: Front) {
    this.env = env;
    this.front = front;
  }

  /** Begins, now and from then on by itself. */
  start(): void {
    this.failures = 0;
    this.problem = null;
    this.in(0);
  }

  /** Something was saved, or a signal came back. */
  soon(): void {
    this.in(this.failures === 0 ? SOON : this.backoff());
  }

  /** Runs now, or waits for the run that is under way and then runs. */
  async now(asked: boolean): Promise<void> {
    while (this.running) await this.running;
    this.running = this.run(asked).finally(() => {
      this.running = null;
      this.env.channel.post("sync");
    });
    await this.running;
  }

  async state(db: AccountDb | null): Promise<SyncState> {
    const running = this.running !== null;
    if (!db) return { ...NOTHING, running };
    const [all, note, bytes, heard] = await Promise.all([
      db.getAll("own"),
      meta(db, "sync"),
      meta(db, "bytes"),
      meta(db, "said"),
    ]);
    const own = tips(all); // what was saved upon one that had left is still one record
    const lately = (heard ?? []).filter(({ at }) => this.env.now() - at < SAID_FOR);
    const said = [...(note?.later ? [note.later] : []), ...lately.map(({ reason }) => reason)];
    const count = (state: string, which = (_: Own) => true) => {
      const leaves = own.filter((leaf) => leaf.state === state && !leaf.again && which(leaf));
      // A person counts pledges: a signature is part of one, and counts alone only where it comes after it.
      return leaves.filter(({ id }) => !id.startsWith("signature:")).length || leaves.length;
    };
    const month = localDay(this.env.now()).slice(0, 7);
    return {
      running,
      lastSync: note?.lastSync ?? null,
      problem: this.problem ?? (note?.problem as SyncProblem | null) ?? null,
      waiting: count("unsent"),
      carried: count("unsent", ({ carried }) => carried !== undefined),
      carriedAt:
        Math.max(...own.map(({ state, carried = 0 }) => (state === "unsent" ? carried : 0)), 0) || null,
      held: count("held"),
      refused: count("refused"),
      said,
      bytesThisMonth: bytes?.month === month ? bytes.count : 0,
    };
  }

  private async run(asked: boolean): Promise<void> {
    const session = this.front.session();
    const inFront = () => this.front.closed().catch(() => null);
    const front = await inFront();
    this.settled = false;
    const own = session ? this.exchange(session, asked) : this.handIn();
    const problem = await own.then(async (wrong) => wrong ?? (await this.carry())).catch(problemOf);
    // What it came to is nothing to whoever has the phone in hand by now.
    if (front !== (await inFront())) return this.start();
    this.problem = this.settled && (problem === "offline" || problem === "cut") ? null : problem;
    this.failures = problem === null ? 0 : this.failures + 1;
    if (problem !== null) await this.askToBeWoken().catch(() => {}); // the timer remains
    this.in(problem === null ? this.jittered(CALM) : this.backoff());
  }

  private async exchange(session: Session, asked: boolean): Promise<SyncProblem | null> {
    const result = await replicate(session, asked);
    if (result === "send_only") await this.handIn();
    if (result === "revoked") return this.shutOut(session, asked);
    // A phone that is full of photographs makes room by sending them.
    if (result === "storage_full") return this.photographs(session, asked).then(() => result);
    if (result !== "done") return result;
    this.settled = true;
    if ((await accounts(this.env)).length > 1) {
      const { rejoin } = await import("./apart.ts");
      await rejoin.handInOthers(this.env);
    }
    return this.photographs(session, asked);
  }

  /** All text is on the server: now the pictures. */
  private async photographs(session: Session, asked: boolean): Promise<SyncProblem | null> {
    if ((await session.db.count("photos")) === 0) return null;
    const { upload } = await import("./apart.ts");
    return upload.send(session, asked);
  }

  private async handIn(): Promise<SyncProblem | null> {
    const db = await this.front.closed();
    if (!db) return null;
    return handIn({ env: this.env, db }).then(
      () => null,
      (error) => (isStrange(error) ? "unknown" : problemOf(error)),
    );
  }

  /** What this phone carries for others goes after its own. */
  private async carry(): Promise<SyncProblem | null> {
    const db = await this.front.closed();
    if (!db || (await db.count("carried")) === 0) return null;
    const { courier } = await import("./apart.ts");
    return courier.deliver({ env: this.env, db }).then(() => null, problemOf);
  }

  /**
   * The full credential is refused: the phone was revoked, and is told so; or the server was restored to before it had
   * joined, be it for the second time. Then it keeps everything, until it joins again as the one that it was; also where
   * the server has heard of that already, and while nobody says which of the two it is.
   */
  private async shutOut(session: Session, asked: boolean): Promise<SyncProblem | null> {
    const { env, db, account } = session;
    const { unknown, lastSync } = (await meta(db, "sync")) ?? {};
    const { is, life } = unknown
      ? { is: "strange" as const, life: "" }
      : await standing({ env, db }).catch((error) => ({ is: problemOf(error), life: "" }));
    if (is === "revoked") {
      const { farewell } = await import("./apart.ts");
      // Without a link, or without an answer that says who asks: later.
      if (await farewell.handOver(session, life).catch(() => false))
        await this.front.revoked(account.id, Boolean(lastSync));
      return is;
    }
    const credential = is === "live" ? await credentialOf(session) : session.credential;
    if (credential !== session.credential) {
      session.credential = credential;
      return this.exchange(session, asked);
    }
    const problem = is === "live" || is === "strange" ? "unknown" : is;
    await noteProblem(db, problem, is === "strange");
    return problem;
  }

  /** What waits may go in from the service worker, once there is a signal and nobody looks at the app. */
  async askToBeWoken(): Promise<void> {
    const db = await this.front.closed();
    if (!db) return;
    const waiting = (await db.count("outbox")) + (await db.count("carried"));
    // What another account of this phone holds goes by the same way: whether there is any, the worker sees.
    if (waiting > 0 || (await accounts(this.env)).length > 1) this.env.wake();
  }

  private backoff(): number {
    return this.jittered(Math.min(FIRST_RETRY * 2 ** Math.max(0, this.failures - 1), LAST_RETRY));
  }

  /** Between half and all of it: phones that lost the signal together do not come back together. */
  private jittered(ms: number): number {
    return Math.round((ms * (256 + (this.env.random(1)[0] ?? 0))) / 512);
  }

  private in(ms: number): void {
    this.cancel();
    this.cancel = this.env.after(ms, () => {
      this.now(false).catch(() => {}); // a run reports through its state; it has nobody else to tell
    });
  }
}
