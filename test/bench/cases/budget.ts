// A budget on the way of a success: nothing is spent, its share comes in.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const unbudgeted = "holdfast retry";
export const budgeted = "holdfast retry + budget";
export const budgetedByProtect = "holdfast protect, retry + budget";

export function budgets({ budget, pipe, protect, retry }: Library): Case[] {
  const without = pipe(ok, retry({ attempts: 4 }));
  const own = pipe(ok, retry({ attempts: 4, budget: budget() }));
  const declared = protect("bench", ok, { retry: { attempts: 4 }, budget: {} });
  return [
    { name: unbudgeted, run: () => without() },
    { name: budgeted, run: () => own() },
    { name: budgetedByProtect, run: () => declared() },
  ];
}

const ok = async () => 1;
