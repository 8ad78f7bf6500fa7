// The same three layers by holdfast, and what a caller or a declaration adds to them.
import { z } from "zod";
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

const ok = async () => 1;
const echo = async (order: unknown) => order;

/** Retry, breaker and timeout, as the peers have them: four tries, one second. */
export const three = { timeout: 1000, breaker: {}, retry: { attempts: 4 } } as const;

export function byPipe(library: Library) {
  return library.pipe(ok, library.timeout(1000), library.breaker(), library.retry({ attempts: 4 }));
}

export function stacks(library: Library): Case[] {
  const piped = byPipe(library);
  const declared = library.protect("bench", ok, three);
  const within = library.protect("bench", ok, { ...three, deadline: 30_000 });
  const checked = library.protect("bench", echo, { ...three, input: Order, output: Order });
  const told = library.settled(declared);
  const shared = { signal: new AbortController().signal };
  return [
    { name: "holdfast pipe", run: () => piped() },
    { name: "holdfast protect", run: () => declared() },
    { name: "holdfast protect + deadline", run: () => within() },
    { name: "holdfast pipe, signal", run: () => piped(undefined, shared) },
    { name: "holdfast protect, signal", run: () => declared(undefined, shared) },
    {
      name: "holdfast protect, a new signal each",
      run: () => declared(undefined, { signal: new AbortController().signal }),
    },
    { name: "holdfast protect + zod input and output", run: () => checked(order) },
    { name: "zod alone: the same two checks", run: async () => [Order.parse(order), Order.parse(order)] },
    { name: "holdfast settled(protect)", run: () => told() },
  ];
}

const Order = z.object({
  id: z.string(),
  customer: z.string(),
  currency: z.string(),
  note: z.string(),
  cents: z.number(),
  items: z.number(),
  tags: z.array(z.string()),
  paid: z.boolean(),
  address: z.object({ city: z.string() }),
});
const order: z.infer<typeof Order> = {
  id: "o-1",
  customer: "c-1",
  currency: "EUR",
  note: "",
  cents: 1250,
  items: 2,
  tags: ["new", "gift"],
  paid: true,
  address: { city: "Graz" },
};
