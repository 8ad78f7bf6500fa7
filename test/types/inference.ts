// What is inferred from the function alone, with no type argument anywhere. Compiled, never run.
import {
  breaker,
  cache,
  deadline,
  fallback,
  named,
  type PolicyOptions,
  type Protected,
  pipe,
  protect,
  retry,
  type Settled,
  settled,
  standard,
  timeout,
} from "holdfast";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<Yes extends true>(): Yes;

interface User {
  id: string;
}
declare function fetchUser(id: string): Promise<User>;
declare function ping(): Promise<number>;
declare function first<T>(list: readonly T[]): Promise<T>;
declare function byId<T extends User>(list: readonly T[]): Promise<T>;
declare function load(id: string): Promise<User>;
declare function load(id: number): Promise<User[]>;

type AllSame<Calls, Wanted> = { [K in keyof Calls]: Same<Calls[K], Wanted> }[keyof Calls];

// the shape of the function, whoever wraps it
const users = {
  declared: protect("user", fetchUser),
  asUsual: protect("user", fetchUser, standard),
  withTiers: protect("user", fetchUser, { ...standard, fallback: [async (id) => ({ id })] }),
  named: named("user", fetchUser),
  byHand: retry()(breaker()(timeout("1s")(fetchUser))),
  piped: pipe(fetchUser, timeout("1s"), breaker(), retry(), deadline("3s")),
  pipedWithTiers: pipe(fetchUser, fallback([async (id: string) => ({ id })])),
  nested: protect("outer", protect("inner", fetchUser)),
};
is<AllSame<typeof users, Protected<string, User>>>();
const pings = { declared: protect("ping", ping), piped: pipe(ping, timeout("1s"), retry()) };
is<AllSame<typeof pings, Protected<void, number>>>();
const answer = settled(users.declared)("x");
is<Same<typeof answer, Promise<Settled<User>>>>();

// a generic function stays generic …
const one = protect("first", first, { retry: {}, timeout: "1s" });
const booleans = {
  declared: one([true]),
  byHand: retry()(breaker()(first))([true]),
  named: named("first", first)([true]),
};
is<AllSame<typeof booleans, Promise<boolean>>>();
const text = one(["a"]);
is<Same<typeof text, Promise<string>>>();
const grown = protect("byId", byId)([{ id: "x", age: 3 }]);
is<Same<typeof grown, Promise<{ id: string; age: number }>>>();
const seen = settled(one)(["a"]);
is<Same<typeof seen, Promise<Settled<string>>>>();
// … but not through `pipe`, which has to know its types at once: there a lambda says which one is meant
const lost = pipe(first, timeout("1s"), retry());
is<Same<typeof lost, Protected<readonly unknown[], unknown>>>();
const kept = pipe((list: number[]) => first(list), timeout("1s"), retry());
is<Same<typeof kept, Protected<number[], number>>>();

// of several overloads the last counts, as everywhere in TypeScript
const last = protect("load", load);
is<Same<typeof last, Protected<number, User[]>>>();

// an input that may be left out has to be given once the function is protected: `undefined` will do
const greeting = protect("greet", async (name?: string) => `Hello ${name ?? "you"}`);
is<Same<typeof greeting, Protected<string | undefined, string>>>();
greeting(undefined);
// @ts-expect-error
greeting();

// what declarations share: `satisfies` keeps what is in it
const house = { timeout: "2s", retry: { attempts: 2 }, breaker: {} } satisfies PolicyOptions;
const housed = {
  spread: protect("user", fetchUser, { ...house, deadline: "5s" }),
  ofPolicy: protect.with("users", house)("user", fetchUser),
};
is<AllSame<typeof housed, Protected<string, User>>>();

// a result that may be nothing, and a tier that says so
const perhaps = protect("user", async (id: string): Promise<User | undefined> => ({ id }), {
  fallback: [async () => undefined],
});
is<Same<typeof perhaps, Protected<string, User | undefined>>>();

// a cache: what is its own key needs none, what is not has to say it; a lifetime sees what the call gives
const known = {
  declared: protect("user", fetchUser, { cache: { ttl: ({ id }, input) => id.length * input.length, max: 5 } }),
  byHand: cache({ ttl: "1m" })(fetchUser),
  piped: pipe(fetchUser, timeout("1s"), cache({ ttl: "1m" }), retry()),
  ofOwn: protect("user", fetchUser, { cache: cache({ ttl: "1m" }) }),
  keyed: pipe(fetchUser, cache({ ttl: (user: User) => user.id.length, key: (id: string) => id.trim() }), retry()),
};
is<AllSame<typeof known, Protected<string, User>>>();
const once = pipe(ping, cache({ ttl: "1m" }), retry());
is<Same<typeof once, Protected<void, number>>>();
const asked = pipe(async (query: User) => query.id, cache({ ttl: "1m", key: (query: User) => query.id }), retry());
is<Same<typeof asked, Protected<User, string>>>();
// @ts-expect-error
cache({ ttl: "1m" })(async (query: User) => query.id);
protect("asked", async (query: User) => query.id, { cache: { ttl: "1m", key: ({ id }) => id } });
// @ts-expect-error
protect("asked", async (query: User) => query.id, { cache: cache({ ttl: "1m" }) });
// a wrapper that is made inside the declaration knows the input by it, as options do
const withOwn = {
  cache: protect("asked", async (query: User) => query.id, { cache: cache({ ttl: "1m", key: ({ id }) => id }) }),
  breaker: protect("asked", async (query: User) => query.id, { breaker: breaker({ key: ({ id }) => id }) }),
};
is<AllSame<typeof withOwn, Protected<User, string>>>();
const checkedFirst = protect("asked", async (query: { id: string }) => query.id, {
  input: z.object({ id: z.string() }),
  cache: cache({ ttl: "1m", key: ({ id }) => id }),
  breaker: breaker({ key: ({ id }) => id }),
});
is<Same<typeof checkedFirst, Protected<{ id: string }, string>>>();
