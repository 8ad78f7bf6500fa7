// Whose doing it is that a value could not be looked at: the value's own, or that of whoever looked.
import { describe, expect, it } from "vitest";
import { unreadable } from "../../src/core/unreadable.ts";

const mine = new Error("mine");
const other = new Error("other");
const cannot = "something that can be read (mine)";

function throwing(error: unknown): object {
  return Object.defineProperty({}, "sum", {
    enumerable: true,
    get() {
      throw error;
    },
  });
}

/** Throws at whatever is asked of it but this. */
function closed(say: (key: string) => Error, but?: string): object {
  const traps = ["get", "has", "getOwnPropertyDescriptor", "getPrototypeOf", "ownKeys"].filter((trap) => trap !== but);
  const trap = (_: object, key?: PropertyKey) => {
    throw say(String(key));
  };
  return new Proxy({}, Object.fromEntries(traps.map((name) => [name, trap])));
}

describe("a value that could not be looked at", () => {
  it("says where, when a getter of its own threw this", () => {
    expect(unreadable({ order: [{}, throwing(mine)] }, mine)).toEqual({ path: "order.1.sum", wanted: cannot });
    expect(unreadable(throwing(mine), mine)).toEqual({ path: "sum", wanted: cannot });
  });

  it("did not, where a getter threw something else: the schema did", () => {
    expect(unreadable({ order: throwing(other) }, mine)).toBeUndefined();
    expect(unreadable({ order: { sum: 1 } }, mine)).toBeUndefined();
    for (const value of ["text", 5, null, undefined]) expect(unreadable(value, mine)).toBeUndefined();
  });

  it("is a proxy that throws this whatever is asked, by itself or further in, a function too", () => {
    expect(
      unreadable(
        closed(() => mine),
        mine,
      ),
    ).toEqual({ wanted: cannot });
    expect(unreadable({ a: { b: closed(() => mine) } }, mine)).toEqual({ path: "a.b", wanted: cannot });
    const { proxy, revoke } = Proxy.revocable(() => {}, {});
    revoke();
    const said = new TypeError("Cannot perform 'get' on a proxy that has been revoked");
    expect(unreadable({ a: proxy }, said)).toMatchObject({ path: "a" });
  });

  it("is not a proxy that throws something else", () => {
    expect(unreadable({ a: closed(() => other) }, mine)).toBeUndefined();
  });

  it("is a proxy whose error names what was asked for, and only where all the rest is the same", () => {
    const named = { a: closed((key) => new Error(`no "${key}" here`), "ownKeys") };
    expect(unreadable(named, new Error('no "sum" here'))).toMatchObject({ path: "a" });
    for (const said of ['no "sum" there', 'yes "sum" here', "no"])
      expect(unreadable(named, new Error(said))).toBeUndefined();
  });

  it("is too deep where the stack has ended, and not for any other reason", () => {
    let deep: object = {};
    for (let i = 0; i < 500; i++) deep = { deep };
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const ended = new RangeError("Maximum call stack size exceeded");
    for (const value of [deep, circle]) {
      expect(unreadable(value, ended)).toEqual({ wanted: "less depth, and no circle" });
      expect(unreadable(value, mine)).toBeUndefined();
      expect(unreadable(value, new RangeError("Invalid array length"))).toBeUndefined();
      expect(unreadable(value, new Error("Maximum call stack size exceeded"))).toBeUndefined();
    }
    expect(unreadable({ flat: 1 }, ended)).toBeUndefined();
  });

  it("is looked at in part where it is very large: that takes no time worth speaking of", () => {
    const large = Array.from({ length: 300_000 }, () => ({}));
    expect(unreadable([throwing(mine), ...large], mine)).toBeUndefined();
    expect(unreadable([...large, throwing(mine)], mine)).toMatchObject({ path: "300000.sum" });
  });
});
