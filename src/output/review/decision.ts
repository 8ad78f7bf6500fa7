// How a person's verdict is written.
import { z } from "zod";

const text = z.string().min(1, { error: "a text that is not empty" });
const verdicts = z.discriminatedUnion(
  "verdict",
  [
    z.strictObject({ verdict: z.literal("approve") }),
    z.strictObject({
      verdict: z.literal("amend"),
      output: z.unknown().refine((output) => output !== undefined, { error: "the output as it is to be" }),
    }),
    z.strictObject({ verdict: z.literal("reject"), reason: text }),
  ],
  { error: '{ verdict: "approve" }, { verdict: "amend", output } or { verdict: "reject", reason }' },
);

/** A verdict that cannot be read is none, and one that is inherited was given by nobody. */
export const decisionSchema = z.preprocess((given) => {
  try {
    return typeof given === "object" && given !== null ? { ...given } : given;
  } catch {
    return undefined; // it throws when it is read
  }
}, verdicts);

export const verdictSchema = z.strictObject({ id: text, decision: decisionSchema, by: text });
export const claimSchema = z.strictObject({ id: text, by: text });
