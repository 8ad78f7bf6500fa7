// What the other ways to a stack add: a policy's run, a call inside a call, a wrapper of one's own.
import { z } from "zod";
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { three } from "./stacks.ts";

const ok = async () => 1;

export function nesting(library: Library): Case[] {
  const { breaker, defineWrapper, pipe, protect, retry, timeout } = library;
  const policy = protect.with("bench", three);
  const ofPolicy = policy("call", ok);
  const inner = protect("inner", ok, three);
  const outer = protect("outer", (_: void, context) => inner(undefined, context));
  const none = z.strictObject({});
  const counter = defineWrapper("counter", none, {}, () => {
    let calls = 0;
    return { bracket: { after: () => void calls++ }, state: () => ({ calls }) };
  });
  const passing = defineWrapper("passing", none, {}, () => ({
    around: (operation) => async (input, context) => operation(input, context),
  }));
  const bracketed = pipe(ok, timeout(1000), breaker(), counter, retry({ attempts: 4 }));
  const wrapped = pipe(ok, timeout(1000), breaker(), passing, retry({ attempts: 4 }));
  return [
    { name: "a policy's call", run: () => ofPolicy() },
    { name: "policy.run(operation)", run: () => policy.run(ok) },
    { name: "protect inside a bare protect", run: () => outer() },
    { name: "pipe + own bracket", run: () => bracketed() },
    { name: "pipe + own promise-style wrapper", run: () => wrapped() },
  ];
}
