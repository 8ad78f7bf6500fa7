// Each caller gets an answer to his own question, and only one that may be delivered.
import { brief } from "../../../core/brief.ts";
import { nameOf, type Rule } from "../rule.ts";

/** `sound`: whether this may be delivered. Callers of a cache may get each other's answers: which inputs are the same question only its key knows. */
export function ownAnswer(sound: ((value: never, input: never) => boolean) | undefined): Rule {
  return {
    name: "own answer",
    says: "Nothing unchecked is delivered, and nothing that was given for another caller.",
    ended({ callers, runs, shares }, found) {
      const whose = new Map<unknown, number>();
      if (!shares)
        for (const { gave, ok, caller } of runs)
          if (ok && typeof gave === "object" && gave !== null && caller !== undefined) whose.set(gave, caller.no);
      for (const caller of callers) {
        const { result, no, input } = caller;
        if (!result?.ok || result.story.state === "failed") continue;
        const from = whose.get(result.value);
        if (from !== undefined && from !== no) found(`${nameOf(caller)} has got what was given for call ${from}`);
        if (sound !== undefined && !sound(result.value as never, input as never))
          found(`${nameOf(caller)} has got ${brief(result.value)}, which may not be delivered`);
      }
    },
  };
}
