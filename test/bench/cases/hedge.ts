// A hedge on the way of a success: its time never comes.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const hedged = "holdfast hedge, not fired";
export const hedgedByProtect = "holdfast protect, hedge by its own p95, not fired";

export function hedges({ hedge, protect }: Library): Case[] {
  const fixed = hedge({ after: "1s" })(ok);
  const declared = protect("bench", ok, { hedge: {} });
  return [
    { name: hedged, run: () => fixed() },
    { name: hedgedByProtect, run: () => declared() },
  ];
}

const ok = async () => 1;
