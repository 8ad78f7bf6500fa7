// By its key a service knows the repetition: it is the same for all attempts.
import { nameOfRun, type Rule } from "../rule.ts";

export const oneKey: Rule = {
  name: "one key",
  says: "All attempts of a call, in whatever tier, have the same idempotency key; a caller's own goes first.",
  called(run, _world, found) {
    const { caller, told } = run;
    if (caller === undefined || told === undefined) return;
    const first = caller.runs.find((one) => one.told?.call === told.call)?.told;
    if (first?.idempotencyKey !== told.idempotencyKey)
      found(`${nameOfRun(run)} has the key ${told.idempotencyKey}, and the first had ${first?.idempotencyKey}`);
  },
};
