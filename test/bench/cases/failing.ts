// When the operation fails: once and then not, or for good.
import pRetry from "p-retry";
import { type Case, rejects } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const retriedByPRetry = "fails once, retried at once: p-retry";

export function failing(library: Library): Case[] {
  const { pipe, retry, timeout } = library;
  const layers = [timeout(1000), retry({ attempts: 4, backoff: () => 0 })] as const;
  const retried = pipe(everySecond(), ...layers);
  const flaky = everySecond();
  const bug = new TypeError("a bug");
  const broken = async () => {
    throw bug;
  };
  const given = pipe(broken, ...layers);
  return [
    { name: retriedByPRetry, run: () => pRetry(flaky, { retries: 3, minTimeout: 0 }) },
    { name: "fails once, retried at once: holdfast pipe", run: () => retried() },
    { name: "fails, not retried: bare operation", run: rejects(broken) },
    { name: "fails, not retried: p-retry", run: rejects(() => pRetry(broken, { retries: 3, minTimeout: 0 })) },
    { name: "fails, not retried: holdfast pipe", run: rejects(() => given()) },
  ];
}

function everySecond(): () => Promise<number> {
  const error = new Error("unavailable");
  let calls = 0;
  return async () => {
    if (++calls % 2) throw error;
    return 1;
  };
}
