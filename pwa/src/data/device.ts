/** Whether this phone and this browser will keep what they are given. */
import type { DeviceCheck, StorageView } from "./contract.ts";
import type { Env } from "./env.ts";

const LOW = 20_000_000;
const NEARLY_FULL = 0.9;

export async function checkDevice(env: Env): Promise<DeviceCheck> {
  const { device } = env;
  const [durable, persisted] = await Promise.all([lasts(env), device.persist().catch(() => false)]);
  const secure = device.secure();
  const [inApp, ios, installed] = [device.inApp(), device.ios(), device.installed()];
  const ready = secure && durable && inApp === null && (!ios || installed);
  return { secure, durable, persisted, inApp, ios, installed, ready };
}

/** Writes a record, closes the database, opens it again and looks. */
async function lasts(env: Env): Promise<boolean> {
  const name = "camket-check";
  const value = `${env.now()}`;
  try {
    const first = await opened(env, name);
    const tx = first.transaction("check", "readwrite");
    tx.objectStore("check").put(value, "value");
    await new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error);
    });
    first.close();
    const second = await opened(env, name);
    const found = await result(second.transaction("check").objectStore("check").get("value"));
    second.close();
    await result(env.indexedDB.deleteDatabase(name));
    return found === value;
  } catch {
    return false; // private windows and full disks refuse in many ways; all mean the same
  }
}

function opened(env: Env, name: string): Promise<IDBDatabase> {
  const request = env.indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("check");
  return result(request);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export async function storage({ device }: Env): Promise<StorageView> {
  const [persisted, { used, quota }] = await Promise.all([
    device.persist().catch(() => false),
    device.estimate().catch(() => ({ used: null, quota: null })),
  ]);
  const low = used !== null && quota !== null && (quota - used < LOW || used > quota * NEARLY_FULL);
  return { persisted, used, quota, low };
}
