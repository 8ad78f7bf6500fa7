import { describe, expect, it } from "vitest";
import { brief } from "../../src/core/brief.ts";
import { InputRejectedError, OutputRejectedError } from "../../src/core/errors.ts";
import { report } from "../../src/core/report.ts";

describe("the findings of an error", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => ({
    path: `list.${i}`,
    got: "x".repeat(50),
    wanted: "a number",
  }));

  it("are all kept, and fifty of them told: in the message, in JSON", () => {
    const error = new InputRejectedError("draft", many);
    expect(error.issues).toEqual(many);
    expect(error.message).toMatch(/list\.49: wanted a number, got x+; and 99950 more$/);
    for (const json of [JSON.stringify(error), JSON.stringify(error.issues)]) {
      expect(json.length).toBeLessThan(20_000);
      expect(json).toContain('{"wanted":"and 99950 more"}');
    }
  });

  it("tell no value, path or sentence at length", () => {
    const long = "x".repeat(1_000_000);
    const error = new InputRejectedError("draft", [
      { path: long, got: long, wanted: long },
      { got: { long }, wanted: "y" },
    ]);
    expect(error.message.length).toBeLessThan(2_000);
    expect(JSON.stringify(error).length).toBeLessThan(4_000);
    expect(error.issues[0]?.got).toBe(long);
  });

  it("can be written as JSON, whatever was got", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const { issues } = new InputRejectedError("draft", [
      { got: circle, wanted: "a" },
      { got: 1n, wanted: "b" },
    ]);
    expect(JSON.parse(JSON.stringify(issues))).toMatchObject([{ wanted: "a" }, { got: "1", wanted: "b" }]);
    expect(issues[0]?.got).toBe(circle);
  });

  it("cannot forge a line, move a cursor or turn the direction: what is quoted is spelt", () => {
    const evil = "x\n2026 FAKE LINE\u001b[2J\u202e\u2028\u0085";
    const errors = [
      new InputRejectedError("draft", [
        { path: evil, got: evil, wanted: evil },
        { got: { evil }, wanted: "a" },
      ]),
      new OutputRejectedError("draft", [{ got: evil, wanted: evil }], evil),
    ];
    for (const text of [brief(evil), brief({ evil }), ...errors.flatMap((error) => [error.message, error.stack ?? ""])])
      expect(text.replace(/\n +at .*/g, "")).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
    expect(brief("x\n\u001b\u202e")).toBe("x\\n\\u001b\\u202e");
    expect(report(errors[0])).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(report(new Error(evil))).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });
});
