// What a caller waits longer when the first provider is dead: two real servers, the first one killed.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { quantile } from "../harness/time.ts";
import type { Library } from "../library.ts";

export interface Latency {
  readonly p50: number; // ms
  readonly p99: number;
}

export interface Failover {
  readonly calls: number;
  readonly firstMs: number; // the first call after the kill
  readonly opened: number; // calls until the breaker was open
  readonly probes: number; // tries of the dead provider after that
  readonly direct: Latency;
  readonly chain: Latency;
}

/** All options as they come, but for shorter breaks in a short run: probes of the dead provider are to be among the calls. */
export async function failover({ breaker, protect }: Library, forMs: number): Promise<Failover> {
  const [first, second] = await Promise.all([provider("first"), provider("second")]);
  let tries = 0;
  const askFirst = (_: void, { signal }: { signal: AbortSignal }) => {
    tries++;
    return ask(first.port, signal);
  };
  const askSecond = (_: void, { signal }: { signal: AbortSignal }) => ask(second.port, signal);
  const circuit = breaker(forMs > 5_000 ? {} : { breakTime: "500ms" });
  const chain = protect("ask", askFirst, { timeout: "1s", retry: {}, breaker: circuit, fallback: [askSecond] });
  const { signal } = new AbortController();
  const direct = () => askSecond(undefined, { signal });
  try {
    for (let i = 0; i < 300; i++) await Promise.all([chain(), direct()]); // connections open, code warm
    const gone = once(first.process, "exit");
    first.process.kill("SIGKILL");
    await gone;

    const firstMs = await clocked(chain);
    let opened = 1;
    for (; circuit.state.state !== "open"; opened++) {
      if (opened === 1000) throw new Error("the breaker does not open");
      await chain();
    }

    tries = 0;
    const directMs: number[] = [];
    const chainMs: number[] = [];
    for (const until = performance.now() + forMs; performance.now() < until; ) {
      directMs.push(await clocked(direct));
      chainMs.push(await clocked(chain));
    }
    return {
      calls: chainMs.length,
      firstMs,
      opened,
      probes: tries,
      direct: latency(directMs),
      chain: latency(chainMs),
    };
  } finally {
    first.process.kill("SIGKILL");
    second.process.kill("SIGKILL");
  }
}

async function provider(name: string): Promise<{ process: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL("provider.ts", import.meta.url)), [name], { execArgv: [] });
  const [port] = (await once(child, "message")) as [number];
  return { process: child, port };
}

async function ask(port: number, signal: AbortSignal): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`, { signal })).text();
}

async function clocked(call: () => Promise<string>): Promise<number> {
  const begin = performance.now();
  const from = await call();
  const elapsedMs = performance.now() - begin;
  if (from !== "second") throw new Error(`answered by ${from}`);
  return elapsedMs;
}

const latency = (ms: readonly number[]): Latency => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) });
