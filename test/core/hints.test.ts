import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { headerOf, readWait, retryAfterMs, waitInText } from "../../src/core/hints.ts";

const now = Date.parse("2026-03-01T12:00:00Z");
const asked = (value: unknown, name = "retry-after") => retryAfterMs({ [name]: value }, now);

describe("Retry-After", () => {
  it.each([
    ["seconds", "120", 120_000],
    ["none", "0", 0],
    ["fractions of seconds", "1.5", 1500],
    ["a number", 3, 3000],
    ["with spaces round it", " 7 ", 7000],
    ["a date of RFC 9110", "Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
    ["a date of RFC 850", "Sunday, 01-Mar-26 12:00:30 GMT", 30_000],
    ["a date of asctime", "Sun Mar  1 12:00:30 2026", 30_000],
    ["a date of RFC 3339", "2026-03-01T12:00:30Z", 30_000],
    ["a duration", "6m0s", 360_000],
    ["Unix seconds", String(now / 1000 + 45), 45_000],
    ["Unix ms", String(now + 45_000), 45_000],
    ["four days and a half", "403973", 403_973_000],
    ["thirty years, which is a wait and no date", "946728000", 946_728_000_000],
  ])("is read as %s", (_, value, ms) => {
    expect(asked(value)).toBe(ms);
  });

  it("without a zone is GMT wherever the machine stands", () => {
    vi.stubEnv("TZ", "Asia/Tokyo");
    expect(new Date(0).getHours()).toBe(9);
    expect(asked("Sun Mar  1 12:00:30 2026")).toBe(30_000);
    expect(asked("2026-03-01T12:00:30")).toBe(30_000);
    expect(asked("Sunday, 01-Mar-2026 12:00:30")).toBe(30_000);
    vi.unstubAllEnvs();
  });

  it.each([
    ["negative", "-5"],
    ["a date that is past", "Sun, 01 Mar 2026 11:59:59 GMT"],
    ["Unix seconds that are past", String(now / 1000 - 1)],
    ["Unix seconds of long ago, the least that are any", "1000000000"],
    ["Unix ms of long ago, the least that are any", "100000000000"],
    ["a word", "soon"],
    ["empty", ""],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["without end", "9".repeat(400)],
    ["hexadecimal", "0x10"],
    ["a month alone", "March"],
    ["an impossible date", "Sun, 99 Foo 2026 12:00:30 GMT"],
    ["an object", {}],
    ["nothing", undefined],
  ])("falls back to our own delay when it is unreadable or negative: %s", (_, value) => {
    expect(asked(value)).toBeUndefined();
  });

  it.each(["retry-after-ms", "x-ms-retry-after-ms", "grpc-retry-pushback-ms"])(
    "in ms, `%s`, is the more exact one",
    (name) => {
      expect(retryAfterMs({ "retry-after": "2", [name]: "1250" }, now)).toBe(1250);
      expect(retryAfterMs({ "retry-after": "2", [name]: "-1" }, now)).toBe(2000);
      expect(retryAfterMs({ [name]: "403973000" }, now)).toBe(403_973_000);
    },
  );
});

describe("the reset headers", () => {
  it("of two, the later one counts", () => {
    expect(retryAfterMs({ "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s" }, now)).toBe(360_000);
    expect(retryAfterMs({ "x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "8.64s" }, now)).toBe(
      8640,
    );
    const anthropic = {
      "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:40Z",
      "anthropic-ratelimit-input-tokens-reset": "2026-03-01T12:00:10Z",
    };
    expect(retryAfterMs(anthropic, now)).toBe(40_000);
  });

  it.each([
    ["seconds", "30", 30_000],
    ["Unix seconds (GitHub)", String(now / 1000 + 60), 60_000],
    ["Unix ms (OpenRouter)", String(now + 61_000), 61_000],
    ["hours and minutes", "1h2m3.5s", 3_723_500],
    ["days", "1d", 86_400_000],
  ])("are read as %s", (_, value, ms) => {
    expect(asked(value, "x-ratelimit-reset")).toBe(ms);
  });

  it("are taken by the clock of whoever sent them, where it is told", () => {
    for (const skew of [-3_600_000, 3_600_000]) {
      const theirs = (ms: number) => new Date(now + skew + ms);
      const date = theirs(0).toUTCString();
      for (const told of [
        { "anthropic-ratelimit-tokens-reset": theirs(30_000).toISOString() },
        { "retry-after": theirs(30_000).toUTCString() },
        { "x-ratelimit-reset": String(theirs(30_000).getTime() / 1000) },
      ]) {
        expect(retryAfterMs({ ...told, date }, now)).toBe(30_000);
        expect(retryAfterMs(new Headers({ ...told, date: "soon" } as Record<string, string>), now + skew)).toBe(30_000);
      }
      expect(retryAfterMs({ "retry-after": "30", date }, now)).toBe(30_000);
    }
  });

  it("give way to Retry-After, which tells of this request", () => {
    expect(retryAfterMs({ "retry-after": "1", "x-ratelimit-reset-tokens": "6m0s" }, now)).toBe(1000);
  });

  it("of 0, -1 or in the past tell nothing", () => {
    for (const value of ["0", "-1", "0s", "2026-03-01T11:00:00Z"]) {
      expect(asked(value, "x-ratelimit-reset-tokens")).toBeUndefined();
    }
  });
});

describe("a message", () => {
  it.each([
    ["Rate limit reached. Please try again in 7m12s. Visit …", 432_000],
    ["Please try again in 1.2s.", 1200],
    ["Please try again in 6ms.", 6],
    ["Please retry after 26 seconds.", 26_000],
    ["Please retry in 34.074824224s.", 34_075],
    ["try again in 2 minutes", 120_000],
    ["TRY AGAIN IN 2 MINUTES", 120_000],
    ['{"error":{"details":[{"retryDelay":"34s"}]}}', 34_000],
    ['{\\"retryDelay\\": \\"34s\\"}', 34_000],
  ])("tells the wait: %s", (text, ms) => {
    expect(waitInText(text)).toBe(ms);
  });

  it.each(["Please try again later.", "try again in 5 lives", "try again in 5minutes", "retry after", "in 5s"])(
    "tells none: %s",
    (text) => {
      expect(waitInText(text)).toBeUndefined();
    },
  );
});

describe("headers", () => {
  it.each([
    ["a Headers", new Headers({ "Retry-After": "2" })],
    ["a Map", new Map([["retry-after", "2"]])],
    ["a Map in another case", new Map([["Retry-After", "2"]])],
    ["something with get", { get: (name: string) => (name === "retry-after" ? "2" : null) }],
    ["gRPC's Metadata, which gives arrays", { get: (name: string) => (name === "retry-after" ? ["2"] : []) }],
    ["a plain object", { "retry-after": "2" }],
    ["a plain object in another case", { "RETRY-AFTER": "2" }],
    ["an object without prototype", Object.assign(Object.create(null), { "Retry-After": "2" })],
    ["Node's, with an array", { "retry-after": ["2", "9"] }],
  ])("are read from %s", (_, headers) => {
    expect(headerOf(headers, "retry-after")).toBe("2");
    expect(headerOf(headers, "x-should-retry")).toBeUndefined();
    expect(retryAfterMs(headers, now)).toBe(2000);
  });

  it.each([undefined, null, "retry-after: 2", 5, [], {}, { get: 5 }])("that are none give nothing: %o", (headers) => {
    expect(retryAfterMs(headers, now)).toBeUndefined();
  });
});

describe("any text", () => {
  it("is a wait that is finite and not negative, or none", () => {
    const units = fc.constantFrom(1, 1000);
    const text = fc.oneof(
      fc.string(),
      fc.float().map(String),
      fc.stringMatching(/^\d{1,20}(m|s|ms|h|d)?$/),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(text, units, fc.integer({ min: 0, max: 4e12 }), (said, unit, at) => {
        const wait = readWait(said, unit, at);
        expect(wait === undefined || (Number.isInteger(wait) && wait >= 0)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("of whole seconds is read back exactly", () => {
    fc.assert(fc.property(fc.nat({ max: 1e8 }), (seconds) => asked(String(seconds)) === seconds * 1000));
  });

  it("of an HTTP date to come is read back exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e8 }), (seconds) => {
        return asked(new Date(now + seconds * 1000).toUTCString()) === seconds * 1000;
      }),
    );
  });
});
