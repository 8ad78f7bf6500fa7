// The three providers as child processes, and what can be done to one of them from outside.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Misbehaviour } from "./misbehaviour.ts";

export interface Provider {
  readonly name: string;
  readonly url: string;
  /** SIGKILL, in the middle of whatever it does. */
  kill(): void;
  /** SIGSTOP: its connections stay open and nothing comes. */
  freeze(): void;
  misbehave(how: Misbehaviour): void;
  /** Runs again, as it should or in another bad way; resolves when it is listening. */
  heal(then?: Misbehaviour): Promise<void>;
  stop(): void;
}

const main = fileURLToPath(new URL("main.ts", import.meta.url));

export async function startProvider(name: string, log: string): Promise<Provider> {
  let running = await start(name, 0, log);
  let release: (() => void) | undefined;

  const stop = () => running.child.kill("SIGKILL"); // also ends one that is stopped
  process.once("exit", stop);

  return {
    name,
    url: `http://127.0.0.1:${running.port}/v1`,
    kill() {
      running.child.kill("SIGKILL");
      running.dead = true;
      release?.();
    },
    freeze() {
      release = endWithParent(running.child);
      running.child.kill("SIGSTOP");
    },
    misbehave: (how) => void running.child.send({ misbehaviour: how }),
    async heal(then) {
      running.child.kill("SIGCONT");
      release?.();
      if (running.dead) running = await again(() => start(name, running.port, log));
      running.child.send({ misbehaviour: then });
    },
    stop() {
      stop();
      release?.();
      process.off("exit", stop);
    },
  };
}

/** Its port may be in use for a moment. */
async function again<T>(start: () => Promise<T>, times = 5): Promise<T> {
  return start().catch(async (error) => {
    if (times === 0) throw error;
    await sleep(200);
    return again(start, times - 1);
  });
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  dead: boolean;
}

async function start(name: string, port: number, log: string): Promise<Running> {
  const child = fork(main, [name, String(port), log], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const told = await new Promise<{ port: number }>((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`The provider ${name} does not start.`)));
  });
  const running: Running = { child, port: told.port, dead: false };
  child.once("exit", () => {
    running.dead = true;
  });
  child.on("error", () => {}); // a message to one that has just died
  return running;
}

/** A stopped process cannot notice that its parent is gone; whoever waits at this pipe does, and ends it. */
function endWithParent(child: ChildProcess): () => void {
  const keeper = spawn("sh", ["-c", `trap "" INT; read released || kill -9 ${child.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  return () => void (keeper.stdin.writable && keeper.stdin.end("released\n"));
}
