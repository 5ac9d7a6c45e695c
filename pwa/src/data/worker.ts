/** What the service worker does with the data: hands in sealed records, own and carried, when the browser says there is a link. */
import { accounts } from "./accounts.ts";
import { deliver } from "./courier.ts";
import { openAccount } from "./db.ts";
import type { Env } from "./env.ts";
import { handIn } from "./handin.ts";
import { world } from "./world.ts";

/** What is needed of the service worker's own scope. */
interface Scope {
  readonly clients: {
    matchAll(of: { type: "window" }): Promise<readonly { readonly visibilityState?: string }[]>;
  };
}

/**
 * Hands in what every account on this phone has sealed. Rejects where that failed: the browser tries again. Does
 * nothing while a window is in sight, for that one syncs by itself and nothing need travel twice.
 */
export async function handInAll({ clients }: Scope): Promise<void> {
  const windows = await clients.matchAll({ type: "window" });
  if (windows.some(({ visibilityState }) => visibilityState === "visible")) return;
  const env: Env = { ...world(), ...NO_PAGE };
  let failed: unknown;
  for (const { id } of await accounts(env)) {
    const db = await openAccount(env, id);
    const both = handIn({ env, db }).then(() => deliver({ env, db }));
    await both
      .catch((error) => {
        failed ??= error; // the others go on
      })
      .finally(() => db.close());
  }
  if (failed) throw failed;
}

/** Nobody joins, takes photographs or looks after accounts in a service worker. */
const NO_PAGE: Omit<Env, keyof ReturnType<typeof world>> = {
  language: () => "vi",
  wake: () => {},
  shrink: () => Promise.reject(new Error("no page")),
  marks: { read: () => ({}), write: () => {} },
  device: {
    secure: () => true,
    persist: async () => false,
    estimate: async () => ({ used: null, quota: null }),
    inApp: () => null,
    ios: () => false,
    installed: () => false,
  },
};
