// A script that somebody has written: every mistake of it with its path, before anything is played.
import { z } from "zod";
import { failures } from "./failures.ts";
import type { Script } from "./script.ts";

const gives = ["value", "lie", "nothing", ...Object.keys(failures)];
const ms = z.custom<number>((given) => typeof given === "number" && given >= 0 && given < Number.POSITIVE_INFINITY, {
  error: "milliseconds, a number of at least 0",
});
const yes = z.literal(true).optional();

const behaviour = z.strictObject({ gives: z.enum(gives), after: ms.optional(), deaf: yes });

const caller = z.strictObject({
  at: ms,
  to: z.literal(0, { error: "0: there is one call" }).optional(),
  deadline: ms.optional(),
  abort: z
    .union([ms, z.enum(["before", "inside", "never"])], { error: 'milliseconds, "before", "inside" or "never"' })
    .optional(),
  shares: yes,
  key: yes,
  accept: z.enum(["fresh", "uncached"]).optional(),
  criticality: z.enum(["critical", "sheddable"]).optional(),
  meets: z.array(behaviour),
});

export const callersSchema = z.array(caller).min(1, { error: "at least one caller" }) as unknown as z.ZodType<Script>;
