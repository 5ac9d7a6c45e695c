/**
 * Forms that are half filled in. Android ends an app in the background whenever it likes; a draft outlives that.
 * It is encrypted like a record, and belongs to the phone alone: it is never sent.
 */
import { decryptJson, encryptJson } from "./crypto.ts";
import { stored, type Write, write } from "./db.ts";
import { type Looked, refuseErased, type Session } from "./records.ts";

/** What was kept under the name, null for nothing. Raises FieldError `missing` where its household was erased. */
export async function draft({ env, db, key }: Session, name: string): Promise<unknown> {
  await refuseErased(db.transaction(["heads", "own", "databases"]), name);
  const kept = await db.get("drafts", name);
  if (!kept) return null;
  try {
    return await decryptJson(env, key, kept, place(name));
  } catch {
    return null; // damaged: a form begun anew is better than one that does not open
  }
}

/**
 * Keeps a JSON value, or forgets it (null). Not flushed to the disk like a save: what a dying battery may cost is
 * the last key, and each key need not wait for the disk. Raises FieldError `missing` as `draft`: what was erased does
 * not come back with the next key.
 */
export async function keepDraft({ env, db, key }: Session, name: string, value: unknown): Promise<void> {
  if (value === null) return stored(db.delete("drafts", name));
  const sealed = await encryptJson(env, key, value, place(name));
  const keep = async (tx: Looked & Write<"drafts">) => {
    await refuseErased(tx, name);
    await tx.objectStore("drafts").put(sealed, name);
  };
  await stored(write(db, ["drafts", "heads", "own", "databases"], keep, "relaxed"));
}

const place = (name: string) => `draft ${name}`;
