// The shortest script that still shows what went wrong.
import type { Behaviour, Caller, Script } from "./script.ts";

/** No more plays than these. */
const mostTries = 400;

/** `fails` plays a script, and gives whether the same rule is broken by it. */
export async function shrink(script: Script, fails: (script: Script) => Promise<boolean>): Promise<Script> {
  let shortest = script;
  let tries = 0;

  async function take(shorter: Script): Promise<boolean> {
    if (tries++ >= mostTries || !(await fails(shorter))) return false;
    shortest = shorter;
    return true;
  }

  // callers by halves, quarters, … and in the end one by one
  for (let size = Math.ceil(script.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < shortest.length; )
      if (shortest.length <= size || !(await take(shortest.toSpliced(from, size)))) from += size;

  for (let more = true; more && tries < mostTries; ) {
    more = false;
    for (let i = 0; i < shortest.length; i++)
      for (const simpler of simplerThan(shortest[i] as Caller))
        if (await take(shortest.with(i, simpler))) {
          more = true;
          break;
        }
  }
  return shortest;
}

/** Each with one thing less. */
function* simplerThan(caller: Caller): Generator<Caller> {
  const { deadline, abort, shares, key, at, meets } = caller;
  if (deadline !== undefined) yield without(caller, "deadline");
  if (abort !== undefined) yield without(caller, "abort");
  if (shares) yield without(caller, "shares");
  if (key) yield without(caller, "key");
  if (caller.accept !== undefined) yield without(caller, "accept");
  if (caller.criticality !== undefined) yield without(caller, "criticality");
  for (let i = 0; i < meets.length; i++) {
    yield { ...caller, meets: meets.toSpliced(i, 1) };
    const one = meets[i] as Behaviour;
    if (one.deaf) yield { ...caller, meets: meets.with(i, { ...one, deaf: undefined }) };
    if (one.after !== undefined) yield { ...caller, meets: meets.with(i, { ...one, after: undefined }) };
  }
  if (at > 0) yield { ...caller, at: 0 };
  if (at > 1) yield { ...caller, at: Math.floor(at / 2) };
}

function without(caller: Caller, key: keyof Caller): Caller {
  const { [key]: _, ...rest } = caller;
  return rest as Caller;
}

/** As it is written in a test. */
export function textOf(script: Script): string {
  const lines = script.map((caller) => {
    const { meets, ...rest } = caller;
    const behaviours = meets.map((one) => fields(one)).join(", ");
    const own = Object.entries(rest).filter(([, value]) => value !== undefined);
    return `  { ${[...own.map(([key, value]) => `${key}: ${JSON.stringify(value)}`), `meets: [${behaviours}]`].join(", ")} },`;
  });
  return `[\n${lines.join("\n")}\n]`;
}

function fields(behaviour: Behaviour): string {
  const own = Object.entries(behaviour).filter(([, value]) => value !== undefined);
  return `{ ${own.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")} }`;
}
