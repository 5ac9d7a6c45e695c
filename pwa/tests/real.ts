/** A real server process over a small commune on disk (tests/commune.py), for phones that run in Node. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { Session } from "../src/data/records.ts";
import { type Phone, phone, type Serve } from "./phone.ts";

declare const __PWA__: string;
const ROOT = join(__PWA__, "..");
/** The Python that has the server's packages; `make` puts it first on the PATH. */
const PYTHON = process.env.CAMKET_PYTHON ?? "python3";

export const PIN = "135790";

/** The phones sync, one after the other, without a problem. */
export async function synced(...phones: readonly Phone[]): Promise<void> {
  for (const one of phones) assert.equal((await one.field.syncNow()).problem, null);
}

export interface Commune {
  readonly codes: readonly [string, string];
  readonly users: readonly [string, string];
  readonly password: string;
  readonly campaign: string;
  readonly households: { readonly napo: readonly string[]; readonly khuoilan: readonly string[] };
}

export class RealServer {
  private process: ChildProcess | null = null;
  url = "";

  private constructor(
    private readonly dir: string,
    readonly commune: Commune,
  ) {}

  static async start(): Promise<RealServer> {
    const dir = mkdtempSync(join(tmpdir(), "camket-"));
    const told = execFileSync(PYTHON, ["-m", "tests.commune", join(dir, "data")], { cwd: ROOT });
    const server = new RealServer(dir, JSON.parse(told.toString()) as Commune);
    await server.up();
    return server;
  }

  /** Starts the process; resolves once it has told its address. */
  async up(): Promise<void> {
    const words = ["-m", "server", "serve", "--data", join(this.dir, "data"), "--port", "0"];
    const env = { ...process.env, PYTHONUNBUFFERED: "1" };
    const started = spawn(PYTHON, words, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
    this.process = started;
    this.url = await new Promise((resolve, reject) => {
      let said = "";
      started.stdout.on("data", (chunk) => {
        said += String(chunk);
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (url) resolve(url[0]);
      });
      started.once("exit", () => reject(new Error(`the server did not come up:\n${said}`)));
    });
  }

  /** Kills the process (-9): what it had answered must be there when it comes up again. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    await this.kill("SIGTERM");
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Stops, keeps a copy of all data, and goes on. */
  async keep(copy = "copy"): Promise<void> {
    await this.kill("SIGTERM");
    cpSync(join(this.dir, "data"), join(this.dir, copy), { recursive: true });
    await this.up();
  }

  /** Dies, and comes up with a copy: what was answered since then is lost. Unless it is said, nobody tells it so. */
  async goBack(said = true, copy = "copy"): Promise<void> {
    await this.kill();
    rmSync(join(this.dir, "data"), { recursive: true });
    cpSync(join(this.dir, copy), join(this.dir, "data"), { recursive: true });
    if (said) this.#commune("--restored");
    await this.up();
  }

  /** `camket restore --by-hand`, some time after a copy was put back. */
  async sayByHand(): Promise<void> {
    await this.kill("SIGTERM");
    this.#commune("--restored");
    await this.up();
  }

  /** An admin has every phone in hand that only hands in. */
  confirm(): void {
    this.#commune("--confirm");
  }

  #commune(does: string): void {
    execFileSync(PYTHON, ["-m", "tests.commune", join(this.dir, "data"), does], { cwd: ROOT });
  }

  /** An admin approves the recovery that waits, as the office's page does. */
  approveRecovery(): void {
    execFileSync(PYTHON, ["-m", "tests.commune", join(this.dir, "data"), "--approve-recovery"], {
      cwd: ROOT,
    });
  }

  /** The pledges that wait in quarantine. */
  waiting(): string[] {
    const asked = ["-m", "tests.commune", join(this.dir, "data"), "--waiting"];
    return JSON.parse(execFileSync(PYTHON, asked, { cwd: ROOT }).toString()) as string[];
  }

  /** An admin takes all hamlets from a person. */
  async take(user: string): Promise<void> {
    execFileSync(PYTHON, ["-m", "tests.commune", join(this.dir, "data"), "--take", user], { cwd: ROOT });
  }

  /** What the office writes and reviews (tests/desk.py), while the process is down for a moment. */
  async office(login: string, told: unknown): Promise<void> {
    await this.kill("SIGTERM");
    const input = JSON.stringify(told);
    execFileSync(PYTHON, ["-m", "tests.desk", join(this.dir, "data"), login], { cwd: ROOT, input });
    await this.up();
  }

  /** An admin hands in a file of sealed records at the office's page; the receipts that it gives out. */
  async handIn(bundle: string): Promise<string> {
    let cookie = "";
    const asked = async (path: string, form?: URLSearchParams | FormData) => {
      const how = form ? { method: "POST", body: form } : {};
      const answer = await fetch(this.url + path, { ...how, headers: { cookie }, redirect: "manual" });
      const session = answer.headers.getSetCookie().find((one) => one.startsWith("camket_session="));
      cookie = session?.split(";")[0] ?? cookie;
      return answer;
    };
    await asked("/office/login", new URLSearchParams({ login: "quantri", password: this.commune.password }));
    const page = await (await asked("/office/bundles")).text();
    const form = new FormData();
    form.set("csrf", /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? "");
    form.set("files", new Blob([bundle], { type: "text/plain" }), "camket-phieu.txt");
    const result = (await asked("/office/bundles", form)).headers.get("location");
    return (await asked(`${result}/receipts`)).text();
  }

  /** Somebody who has that phone gives the name of a revision of a pledge other words: an own visit, met. */
  async takeName(who: Phone, id: string, [rev = ""]: readonly string[]): Promise<void> {
    const { credential, account } = (who.field as unknown as { session: Session }).session;
    const at = new Date().toISOString();
    const by = account.user.id;
    const visit = {
      id: "01J8ZQ5A0000000000000000A1",
      at: `${at.slice(0, 19)}Z`,
      kind: "visit",
      result: "met",
    };
    const doc = {
      ...{ _id: id, _rev: `1-${rev}`, _revisions: { start: 1, ids: [rev] }, type: "pledge", v: 1, by },
      ...{ stamps: { "*": `${Date.parse(at)}-0000-${account.id}` }, acts: [{ ...visit, by }] },
    };
    const answer = await fetch(`${this.url}/db/hamlet-napo/_bulk_docs`, {
      method: "POST",
      headers: { Authorization: `Bearer ${credential}`, "Content-Type": "application/json" },
      body: JSON.stringify({ new_edits: false, docs: [doc] }),
    });
    assert.deepEqual([answer.status, await answer.json()], [201, []]);
  }

  /** One `camket` command over the same data. */
  camket(...words: string[]): string {
    return execFileSync(PYTHON, ["-m", "server", ...words, "--data", join(this.dir, "data")], {
      cwd: ROOT,
    }).toString();
  }

  /** A phone with a link to this server; its clock is the true one. */
  phone(): Phone {
    const mine = phone(this.link);
    mine.clock.now = Date.now();
    return mine;
  }

  /** A phone that joined and synced. */
  async enrolled(code: string): Promise<Phone> {
    const mine = this.phone();
    await mine.field.join(code, "Điện thoại");
    await mine.field.setPin(PIN);
    await synced(mine);
    return mine;
  }

  readonly link: Serve = (asked) => {
    const { path, method, headers, raw } = asked;
    return fetch(this.url + path, { method, headers, ...(raw ? { body: raw } : {}) });
  };
}

/** A server for the tests of a file, with the phones of its two volunteers; it ends after the last of them. */
export async function twoPhones(): Promise<{ server: RealServer; mai: Phone; lan: Phone }> {
  const server = await RealServer.start();
  after(() => server.end());
  const [mai, lan] = [
    await server.enrolled(server.commune.codes[0]),
    await server.enrolled(server.commune.codes[1]),
  ];
  return { server, mai, lan };
}
