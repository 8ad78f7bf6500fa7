// A time-out ends a run at its millisecond.
import { nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import type { Layers } from "../plan.ts";

/** `declared`: of each call, by its index. */
export function timely(declared: readonly Layers[]): Rule {
  return {
    name: "timely",
    says: "Each run of the operation has its signal aborted at its time-out, by the millisecond, and not before for that reason.",
    stepped({ running, coming }, found) {
      for (const run of running) {
        const { caller, told, startedAt, signal } = run;
        const { timeout } = declared[caller?.plan.to ?? 0] as Layers;
        if (told?.tier !== 0 || timeout === undefined || !isOperation(told.name)) continue;
        if (signal?.aborted === false && startedAt + timeout < coming)
          found(`${nameOfRun(run)} goes on at ${coming} ms, its time-out was at ${startedAt + timeout} ms`);
      }
    },
    left(run, _world, found) {
      const { caller, told, startedAt, endedAt, signal, abortedAt = 0 } = run;
      const { timeout = Number.POSITIVE_INFINITY } = declared[caller?.plan.to ?? 0] as Layers;
      if (endedAt !== undefined || told?.tier !== 0 || !isOperation(told.name)) return;
      const reason = signal?.reason as { readonly code?: string } | undefined;
      if (reason?.code === "TIMEOUT" && abortedAt < startedAt + timeout)
        found(`${nameOfRun(run)} was timed out after ${abortedAt - startedAt} ms, and has ${timeout} ms`);
    },
  };
}

/** Not of a tier that is a call of its own. */
function isOperation(name: string): boolean {
  return name.startsWith("call");
}
