// What limits what is begun, on the way of a success: there is room, and nobody waits or is turned away.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";

export const adaptive = "holdfast adaptive limit";
export const adaptiveByProtect = "holdfast protect, adaptive limit";
export const shedding = "holdfast shed";
export const sheddingByProtect = "holdfast protect, adaptive limit + shed";

export function loads({ adaptiveLimit, protect, shed }: Library): Case[] {
  const limited = adaptiveLimit()(ok);
  const declared = protect("bench", ok, { adaptiveLimit: {} });
  const shedded = shed({ eventLoopDelay: "1s" })(ok);
  const both = protect("bench", ok, { adaptiveLimit: {}, shed: {} });
  return [
    { name: adaptive, run: () => limited() },
    { name: adaptiveByProtect, run: () => declared() },
    { name: shedding, run: () => shedded() },
    { name: sheddingByProtect, run: () => both() },
  ];
}

const ok = async () => 1;
