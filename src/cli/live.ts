// `holdfast/review`: a running process opens its reviews to a terminal on the same machine, or keeps them in a file.
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { OptionsInvalidError } from "../core/errors.ts";
import { release } from "../output/review/decide.ts";
import { reviews } from "../output/review.ts";
import { sync } from "./fileDesk.ts";
import { receive, send, told } from "./wire.ts";

/** An open queue. */
export interface ServedReviews {
  readonly path: string;
  /** Ends it, and the terminals' connections. */
  close(): Promise<void>;
}

/**
 * Opens `reviews` of this process at a socket in the file system (a named pipe on Windows), for `npx holdfast review <path>`.
 * Only this user may connect (mode 0600). Neither the socket nor a terminal keeps the process from ending; a socket that a
 * process left behind when it died is replaced.
 * @throws OptionsInvalidError for a path that is none, or in use by another process
 * @example
 * import { tmpdir } from "node:os";
 * import { serveReviews } from "holdfast/review";
 *
 * const served = await serveReviews(`${tmpdir()}/reviews-${process.pid}.sock`); // then: npx holdfast review <path>
 * await served.close();
 */
export async function serveReviews(path: string): Promise<ServedReviews> {
  if (typeof path !== "string" || path === "") throw unfit(path, "a path for a socket");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.unref();
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // a terminal that is gone
    receive(socket, (message) => answer(socket, message));
  });
  server.unref();
  try {
    await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (await isServed(path)) throw unfit(path, "a path that no process listens at");
    if (!(await lstat(path)).isSocket()) throw unfit(path, "a path where nothing is, or a socket that was left");
    await unlink(path);
    await listen(server, path);
  }
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Keeps `reviews` of this process in a file: takes in what was decided there by `npx holdfast review <file>`, and writes
 * what waits now. To be called at the start, when something has changed, and from time to time; several processes may.
 * @throws OptionsInvalidError for a file that is broken, with what is wrong: told once, and nothing is written there until it is another
 * @example
 * import { rmSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { events } from "holdfast";
 * import { syncReviews } from "holdfast/review";
 *
 * const file = `${tmpdir()}/reviews-${process.pid}.json`;
 * await syncReviews(file); // at the start: what an earlier process left waits here now
 * events.on(["output.flagged", "review.decided"], () => syncReviews(file));
 * rmSync(file);
 */
export async function syncReviews(file: string): Promise<void> {
  if (typeof file !== "string" || file === "") throw unfit(file, "the path of a file");
  const { running, next } = syncs.get(file) ?? {};
  if (next !== undefined) return next; // begins later than this, and so has all of it
  if (running === undefined) return begin(file);
  const following = running.catch(() => {}).then(() => begin(file));
  syncs.set(file, { running, next: following });
  return following;
}

/** Of each file the one that is on its way, and the one after it: many events at once are written once. */
const syncs = new Map<string, { readonly running: Promise<void>; readonly next?: Promise<void> }>();

function begin(file: string): Promise<void> {
  const running = sync(file).finally(() => {
    if (syncs.get(file)?.running === running) syncs.delete(file);
  });
  syncs.set(file, { running });
  return running;
}

/** Only its owner's from the first moment on: a file mode that is set afterwards comes too late. */
async function listen(server: Server, path: string): Promise<void> {
  const before = mask(0o177);
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
  if (before !== undefined) mask(before);
  await listening;
  if (process.platform !== "win32") await chmod(path, 0o600);
}

/** In a worker thread it cannot be set: there the mode that is set afterwards has to do. */
function mask(bits: number): number | undefined {
  try {
    return process.umask(bits);
  } catch {
    return undefined;
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}

const asked: Readonly<Record<string, (...given: never[]) => unknown>> = {
  pending: reviews.pending,
  claim: reviews.claim,
  release,
  decide: reviews.decide,
  revoke: reviews.revoke,
};

/** Whatever a terminal says, the process goes on. */
async function answer(socket: Socket, message: unknown): Promise<void> {
  const { no, ask, given } = (message ?? {}) as {
    readonly no?: unknown;
    readonly ask?: unknown;
    readonly given?: unknown;
  };
  if (typeof no !== "number" || !Object.hasOwn(asked, String(ask)) || !Array.isArray(given))
    return void socket.destroy();
  try {
    const method = asked[String(ask)] as (...given: unknown[]) => unknown;
    send(socket, { no, gave: await method(...given) });
  } catch (error) {
    send(socket, { no, failed: told(error) });
  }
}

function unfit(got: unknown, wanted: string): OptionsInvalidError {
  return new OptionsInvalidError("reviews", [{ path: "path", got, wanted }]);
}
