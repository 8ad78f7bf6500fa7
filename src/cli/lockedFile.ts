// A file that several processes change: one at a time, and never half.
import { randomUUID } from "node:crypto";
import { link, open, readFile, realpath, rename, stat, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { z } from "zod";
import { LiveSeams } from "../core/seams.ts";

/** How long a lock is waited for, and how long between two looks, ms. */
const patience = 5_000;
const pause = 20;

const holderSchema = z.object({ pid: z.int(), host: z.string() });

/** Reads it, and writes what `change` makes of it in its place; what gives nothing leaves it as it is. `undefined`: there is none. */
export async function changeFile(
  path: string,
  change: (text: string | undefined) => string | undefined | Promise<string | undefined>,
): Promise<void> {
  const file = await realpath(path).catch(() => path); // a link stays one
  await locked(file, async () => {
    const text = await readFile(file, "utf8").catch(missing);
    const next = await change(text);
    if (next !== undefined && next !== text) await replace(file, next);
  });
}

/** Written beside it, on the disk before it takes its place, and its place on the disk before this is done. */
async function replace(file: string, text: string): Promise<void> {
  const mode = (await stat(file).catch(missing))?.mode ?? 0o600;
  const beside = `${file}.tmp`; // one name: whoever died with it half written left it to the next
  const handle = await open(beside, "w", mode & 0o777);
  try {
    await handle.writeFile(text);
    await handle.chmod(mode & 0o777).catch(() => {});
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  const folder = await open(dirname(file)).catch(() => undefined);
  await folder?.sync().catch(() => {}); // not every system lets a folder be synced
  await folder?.close();
}

async function locked(file: string, work: () => Promise<void>): Promise<void> {
  const lock = `${file}.lock`;
  await acquire(lock);
  try {
    await work();
  } finally {
    await unlink(lock).catch(missing);
  }
}

async function acquire(lock: string): Promise<void> {
  const { clock } = new LiveSeams();
  const until = clock.monotonic() + patience;
  const own = `${lock}.${randomUUID()}`;
  // complete before it is seen: a lock without its holder could not be told from one whose holder is gone
  await writeFile(own, JSON.stringify({ pid: process.pid, host: hostname() }), { mode: 0o600 });
  try {
    while (!(await linked(own, lock))) {
      if (await isAbandoned(lock)) await breakLock(lock);
      else if (clock.monotonic() < until) await clock.sleep(pause);
      else throw new Error(`${lock} is held by ${await holderOf(lock)}. If that is not so, remove it.`);
    }
  } finally {
    await unlink(own);
  }
}

async function linked(own: string, lock: string): Promise<boolean> {
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** One at a time breaks it, and only what is still abandoned then: or two would, and the second would break the first one's own. */
async function breakLock(lock: string): Promise<void> {
  const guard = `${lock}.breaking`;
  const handle = await open(guard, "wx").catch(() => undefined);
  if (handle === undefined) return new LiveSeams().clock.sleep(pause);
  try {
    if (await isAbandoned(lock)) await unlink(lock).catch(missing);
  } finally {
    await handle.close();
    await unlink(guard).catch(missing);
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const holder = await read(lock);
  if (holder === undefined || holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function holderOf(lock: string): Promise<string> {
  const holder = await read(lock);
  return holder === undefined ? "somebody" : `process ${holder.pid} on ${holder.host}`;
}

async function read(lock: string): Promise<z.output<typeof holderSchema> | undefined> {
  const text = await readFile(lock, "utf8").catch(missing);
  try {
    return holderSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

function missing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
