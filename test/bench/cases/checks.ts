// What guard and gate cost over the schema itself: a schema of ten fields, with a list and an object inside.
import pRetry from "p-retry";
import { z } from "zod";
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { opossum } from "./peers.ts";
import { three } from "./stacks.ts";

export const unchecked = "holdfast protect, no layers";
export const guarded = "holdfast protect, input";
export const gated = "holdfast protect, output";
export const bothChecked = "holdfast protect + zod input and output";
export const everything = "holdfast protect, all of it: input, cache (a miss), gate, retry, breaker, bulkhead, timeout";
export const bare = "bare operation of an object";
export const parsed = "the same with one zod parse";

export function checks({ protect }: Library): Case[] {
  const circuit = opossum(async () => Order.parse(await echo(Order.parse(order))), 1000);
  const nothing = protect("bench", echo);
  const input = protect("bench", echo, { input: Order });
  const output = protect("bench", echo, { output: Order });
  const both = protect("bench", echo, { ...three, input: Order, output: Order });
  const all = protect("bench", echo, {
    ...three,
    input: Order,
    cache: { ttl: "1m", key: ({ id }) => id },
    output: Order,
    bulkhead: 10,
  });
  let asked = 0;
  return [
    { name: bare, run: () => echo(order) },
    { name: parsed, run: () => echo(Order.parse(order)) },
    { name: unchecked, run: () => nothing(order) },
    { name: guarded, run: () => input(order) },
    { name: gated, run: () => output(order) },
    { name: bothChecked, run: () => both(order) },
    { name: everything, run: () => all({ ...order, id: `o-${++asked}` }) },
    { name: "the engines by hand with the same two parses", run: () => pRetry(() => circuit.fire(), { retries: 3 }) },
  ];
}

const echo = async (given: Given) => given;
type Given = z.infer<typeof Order>;

const Order = z.object({
  id: z.string(),
  customer: z.string(),
  currency: z.string(),
  note: z.string(),
  cents: z.number(),
  items: z.number(),
  weight: z.number(),
  tags: z.array(z.string()),
  paid: z.boolean(),
  address: z.object({ city: z.string() }),
});
const order: Given = {
  id: "o-1",
  customer: "c-1",
  currency: "EUR",
  note: "",
  cents: 1250,
  items: 2,
  weight: 0.8,
  tags: ["new", "gift"],
  paid: true,
  address: { city: "Graz" },
};
