// What nobody wants any more is let go, once; what was delivered is the caller's.
import { brief } from "../../../src/core/brief.ts";
import { nameOf, nameOfRun, type Rule } from "../../../src/testing/simulation/rule.ts";
import { Answer, Passed } from "../answers.ts";

/** `dropped`: what was given to a user's own function in place of being closed; `undefined`: there is none. */
export function letGo(dropped: readonly unknown[] | undefined): Rule {
  return {
    name: "let go",
    says: "A result that comes too late is let go, once; one that was delivered never, and nothing that was none.",
    ended({ runs, callers }, found) {
      for (const caller of callers) {
        if (!caller.result?.ok) continue;
        const { value } = caller.result;
        const answer = value instanceof Passed ? value.answer : value;
        if (answer instanceof Answer && answer.letGo > 0) found(`${nameOf(caller)} has got an answer that was let go`);
      }
      const given = new Set(runs.map(({ gave }) => gave));
      for (const value of dropped ?? [])
        if (!given.has(value)) found(`a user's own function was to let go what no service gave: ${brief(value)}`);
      for (const run of runs) {
        const { gave, ok, abortedAt, abortedInStep, endedInStep } = run;
        if (!ok || !(gave instanceof Answer)) continue;
        if (gave.letGo > 1) found(`what ${nameOfRun(run)} gave was let go ${gave.letGo} times`);
        const late = abortedAt !== undefined && endedInStep !== undefined && abortedInStep! < endedInStep;
        if (late && dropped === undefined && gave.letGo === 0)
          found(`what ${nameOfRun(run)} gave came too late, and nobody let it go`);
      }
    },
  };
}
