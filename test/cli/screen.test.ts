import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { json, reviewText, safe } from "../../src/cli/screen.ts";
import type { Review } from "../../src/index.ts";
import { decode } from "../../src/output/review/encode.ts";

const painting = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\b\u202eevil\u2066\u200b\ufeff\u2028\u{e0041}\ud800";
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.constant(painting));
/** What a terminal could act on, or a person not see. Line ends are the layout's own. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

function reviewOf(own: Partial<Review>): Review {
  return {
    ...{ id: "r-1", name: "draft", component: "draft", labels: {}, input: "x", output: "y", findings: [] },
    ...{ fits: true, at: 0, expiresAt: 3_600_000 },
    ...own,
  };
}

describe("what a terminal is shown", () => {
  it("holds nothing that paints it, whatever a model wrote", () => {
    expect(safe(painting)).toBe(
      "\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u000d\\u0008\\u202eevil\\u2066\\u200b\\ufeff\\u2028\\udb40\\udc41\\ud800",
    );
    fc.assert(fc.property(text, (written) => !unsafe.test(safe(written))));
  });

  it("leaves what people write as it is", () => {
    for (const written of ["Gezeiten – 潮汐 🌊", "a\\b", '{"a": "ü"}']) expect(safe(written)).toBe(written);
  });

  it("in all parts of a review", () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), (bad, value) => {
        const shown = reviewText(
          reviewOf({
            name: bad,
            component: `${bad}!`,
            labels: { [bad]: bad },
            input: { [bad]: bad, value },
            output: [bad, new Map([[bad, bad]])],
            findings: [{ path: bad, got: bad, wanted: bad, fix: bad }],
            claimed: { by: bad, until: 1 },
          }),
          1_000,
        );
        for (const line of shown.split("\n")) expect(line).not.toMatch(unsafe);
        expect(shown.split("\n").slice(-1)[0]?.startsWith("  - ")).toBe(true);
      }),
    );
  });

  it("as JSON it means the same as before", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decode(JSON.parse(json({ value, painting })))).toStrictEqual({ value, painting });
      }),
    );
  });

  it("shows all of it, in the order of what is asked of the reader", () => {
    const shown = reviewText(
      reviewOf({
        component: "models",
        labels: { tenant: "a" },
        input: { topic: "tides" },
        output: { n: 1 },
        findings: [{ path: "n", got: 1, wanted: "at least 2", fix: "ask again", score: 0.5 }],
        fits: false,
      }),
      600_000,
    );
    expect(shown).toBe(
      [
        "draft  r-1  kept 10 min ago, expires in 50 min",
        "component models, tenant=a",
        "input",
        '  {\n    "topic": "tides"\n  }',
        "output",
        '  {\n    "n": 1\n  }',
        "found",
        "  - n: wanted at least 2 got 1 fix: ask again score 0.5",
        "It cannot be approved as it is: amend it, or reject it.",
      ].join("\n"),
    );
  });
});
