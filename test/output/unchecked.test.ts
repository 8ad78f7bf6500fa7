// Nothing unchecked gets out: whatever the schema, the answers, the repairs, the tries and the tiers.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventBus, protect, type Repair } from "../../src/index.ts";
import { record, seededRandom, testClock } from "../../src/testing/index.ts";

const leaf = fc.constantFrom<z.ZodType>(
  z.string().min(1),
  z.number().int(),
  z.boolean(),
  z.null(),
  z.literal("tides"),
  z.string().transform((text) => text.length),
);
const { schema: schemas } = fc.letrec<{ schema: z.ZodType; deep: z.ZodType }>((tie) => ({
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

const values = fc.oneof(
  fc.constantFrom<unknown>("tides", 3, true, null, [], ["tides"], { a: "tides" }),
  fc.anything({ maxDepth: 3 }),
  fc.jsonValue({ maxDepth: 3 }),
);
const answers = fc.oneof(
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
const repairs = fc.subarray<Repair>(["json", (raw) => raw, async (raw) => (Array.isArray(raw) ? raw[0] : raw)]);

/** What the gate let through, and what was asked of it. */
interface Passed {
  readonly output: unknown;
}

describe("nothing unchecked gets out", () => {
  it("whatever the schema, the answers, the repairs, the tries and the tiers; rejections told are bad answers given", async () => {
    const ends = { delivered: 0, refused: 0, repaired: 0 };
    await fc.assert(
      fc.asyncProperty(
        schemas,
        fc.array(fc.array(answers, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        repairs,
        fc.boolean(),
        async (schema, tiers, repair, withCheck) => {
          const clock = testClock();
          const events = eventBus();
          const seen = record(events);
          const given: unknown[] = [];
          const passed: Passed[] = [];
          const answering = (list: (typeof tiers)[number]) => {
            let at = 0;
            return async () => {
              const answer = list[at++ % list.length] as { value: unknown } | { error: Error };
              if ("error" in answer) throw answer.error;
              given.push(answer.value);
              return answer.value;
            };
          };
          const [first, ...others] = tiers.map(answering);
          const call = protect("draft", first as () => Promise<unknown>, {
            output: schema,
            gate: {
              repair,
              checks: [
                (output) => {
                  if (withCheck && JSON.stringify(output)?.includes("0")) return "no zero";
                  passed.push({ output });
                  return undefined;
                },
              ],
            },
            retry: { attempts: 3 },
            ...(others.length > 0 && { fallback: others.map((operation, i) => ({ name: `tier${i}`, operation })) }),
            seams: { clock, events, random: seededRandom(1) },
          });
          const ended = call().then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          );
          await clock.advance("10m");
          const result = await ended;
          const rejections = seen.of("output.rejected").length;
          ends.repaired += seen.of("output.repaired").length;
          ends["value" in result ? "delivered" : "refused"]++;
          if ("value" in result) {
            // the very thing that schema and check had in their hands last, and one answer of those given
            expect(passed).toHaveLength(1);
            expect(result.value).toBe(passed[0]?.output);
            expect(rejections).toBe(given.length - 1);
          } else {
            expect(passed).toEqual([]);
            expect(rejections + seen.of("attempt.failed").filter(({ kind }) => kind !== "quality").length).toBe(
              seen.of("attempt.started").length,
            );
          }
        },
      ),
      { numRuns: 300, seed: 17 },
    );
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(20);
  });
});
