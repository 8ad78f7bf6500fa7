// Rejection by a breaker that is open. The operation is well again: were it called, the case would resolve and fail the run.
import { ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import { type Case, rejects } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { opossum } from "./peers.ts";
import { three } from "./stacks.ts";

export const opossumOpen = "opossum, open";

export async function open(library: Library): Promise<Case[]> {
  const { breaker, pipe, protect, retry, timeout } = library;
  const theirs = opossum(ok, false);
  theirs.open();
  const cockatiel = circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker: new ConsecutiveBreaker(1) });
  await cockatiel.execute(down).catch(() => {});
  const trips = () => breaker({ consecutiveFailures: 1, breakTime: "1h", maxBreakTime: "1h" });
  const circuits = [trips(), trips(), trips()] as const;
  const alone = circuits[0](ok);
  const piped = pipe(ok, timeout(1000), circuits[1], retry({ attempts: 4 }));
  const declared = protect("bench", ok, { ...three, breaker: circuits[2] });
  for (const circuit of circuits) {
    await circuit(down)().catch(() => {});
    if (circuit.state.state !== "open") throw new Error(`the breaker is ${circuit.state.state}`);
  }
  return [
    { name: opossumOpen, run: rejects(() => theirs.fire()) },
    { name: "cockatiel, open", run: rejects(() => cockatiel.execute(ok)) },
    { name: "holdfast breaker alone, open", run: rejects(() => alone()) },
    { name: "holdfast pipe, open", run: rejects(() => piped()) },
    { name: "holdfast protect, open", run: rejects(() => declared()) },
  ];
}

const ok = async () => 1;

async function down(): Promise<number> {
  throw new Error("unavailable");
}
