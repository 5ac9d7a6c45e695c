/**
 * Browsers clear storage: where room runs out, where a person clears "site data". What was on this phone is then
 * simply not there, and must not look like a phone that nobody has used. So a mark outside of the databases says
 * which accounts were kept here, and how much of theirs was nowhere else.
 */
import { accounts, putBack } from "./accounts.ts";
import type { SyncState } from "./contract.ts";
import { dropAccount, meta, openAccount, openPhone, type Photo } from "./db.ts";
import type { Env } from "./env.ts";

export interface Mark {
  /** Records and photographs that the server had not taken in when last counted. */
  readonly unsent: number;
  /** The office took this phone off its list: the account is being removed. */
  readonly leaving?: boolean;
}

/** By device id. */
export type Marks = Readonly<Record<string, Mark>>;

/** Accounts that were here and are gone. */
export interface Loss {
  readonly devices: readonly string[];
  readonly unsent: number;
}

/** What is nowhere else. The server has neither what it refused, nor a photograph that waits for Wi-Fi. */
export function alone({ waiting, refused }: SyncState, photos: readonly Photo[]): Mark {
  return { unsent: waiting + refused + photos.filter(({ state }) => state !== "received").length };
}

/** Writes what is known of one account; null forgets it. */
export function mark({ marks }: Env, device: string, as: Mark | null): void {
  const { [device]: before, ...others } = marks.read();
  if (as) marks.write({ ...others, [device]: as });
  else if (before) marks.write(others);
}

/**
 * Compares the marks with what is there. Ends a removal that was interrupted, and puts an account back on the list
 * whose data is still here. Null where nothing is missing.
 */
export async function look(env: Env): Promise<Loss | null> {
  const marks = env.marks.read();
  const listed = new Set((await accounts(env)).map(({ id }) => id));
  const devices: string[] = [];
  for (const device of new Set([...Object.keys(marks), ...listed])) {
    if (marks[device]?.leaving) {
      await remove(env, device);
      continue;
    }
    const db = await openAccount(env, device);
    const [account, leaving] = await Promise.all([meta(db, "account"), meta(db, "leaving")]).finally(() =>
      db.close(),
    );
    if (leaving) await remove(env, device);
    else if (!account) devices.push(device);
    else if (!listed.has(device)) await putBack(env, account);
  }
  if (devices.length === 0) return null;
  return { devices, unsent: devices.reduce((sum, device) => sum + (marks[device]?.unsent ?? 0), 0) };
}

/** The person knows: what is left of the accounts goes, and the phone is as if they had never been on it. */
export async function accept(env: Env, { devices }: Loss): Promise<void> {
  for (const device of devices) await remove(env, device);
}

/** Takes an account off the phone with all its data. Interrupted, it is ended when the app looks next. */
export async function remove(env: Env, device: string): Promise<void> {
  mark(env, device, { unsent: 0, leaving: true });
  const phone = await openPhone(env);
  try {
    await phone.delete("accounts", device);
    if ((await phone.get("chosen", "front")) === device) await phone.delete("chosen", "front");
  } finally {
    phone.close();
  }
  await dropAccount(env, device);
  mark(env, device, null);
}
