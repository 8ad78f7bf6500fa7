// Schemas, and answers that fit them or do not: what the property tests of the gate and of reviews share.
import fc from "fast-check";
import { z } from "zod";
import type { Repair } from "../../src/index.ts";

const leaf = fc.constantFrom<z.ZodType>(
  z.string().min(1),
  z.number().int(),
  z.boolean(),
  z.null(),
  z.literal("tides"),
  z.string().transform((text) => text.length),
);
export const { schema: schemas } = fc.letrec<{ schema: z.ZodType; deep: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .dictionary(fc.constantFrom("a", "b", "c"), tie("schema"), { minKeys: 1 })
      .map((shape) => z.strictObject({ ...shape })),
    tie("schema").map((item) => z.array(item)),
    tie("schema").map((inner) => inner.optional()),
  ),
  deep: leaf,
}));

export const values = fc.oneof(
  fc.constantFrom<unknown>("tides", 3, true, null, [], ["tides"], { a: "tides" }),
  fc.anything({ maxDepth: 3 }),
  fc.jsonValue({ maxDepth: 3 }),
);
export const answers = fc.oneof(
  values.map((value) => ({ value })),
  fc.jsonValue({ maxDepth: 3 }).map((value) => ({ value: JSON.stringify(value) as unknown })),
  fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat()).map(([value, at]) => {
    const text = JSON.stringify(value);
    return { value: text.slice(0, at % (text.length + 1)) as unknown };
  }),
  fc
    .jsonValue({ maxDepth: 2 })
    .map((value) => ({ value: `Sure:\n\`\`\`json\n${JSON.stringify(value)}\n\`\`\`` as unknown })),
  fc
    .string()
    .map((text) => ({ value: { choices: [{ finish_reason: "length", message: { content: text } }] } as unknown })),
  fc.constant({ error: new Error("down") }),
);
export const repairs = fc.subarray<Repair>(["json", (raw) => raw, async (raw) => (Array.isArray(raw) ? raw[0] : raw)]);

/** An operation that gives these in turn, over and over; `gave` hears of each value before it is given. */
export function inTurn(
  list: ReadonlyArray<{ readonly value: unknown } | { readonly error: Error }>,
  gave: (value: unknown) => void = () => {},
): () => Promise<unknown> {
  let at = 0;
  return async () => {
    const answer = list[at++ % list.length] as { value: unknown } | { error: Error };
    if ("error" in answer) throw answer.error;
    gave(answer.value);
    return answer.value;
  };
}
