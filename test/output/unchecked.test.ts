// Nothing unchecked gets out: whatever the schema, the answers, the repairs, the tries and the tiers.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventBus, protect } from "../../src/index.ts";
import { record, seededRandom, testClock } from "../../src/testing/index.ts";
import { answers, inTurn, repairs, schemas } from "./answers.ts";

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
          const [first, ...others] = tiers.map((list) => inTurn(list, (value) => given.push(value)));
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
