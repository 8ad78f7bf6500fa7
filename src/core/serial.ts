// Which of two attempts was begun before the other: one count for all copies, for a breaker of one may stand in a stack of another.
import { shared } from "./shared.ts";

const serials = shared("serials", () => ({ last: 0 }));

export function nextSerial(): number {
  return ++serials.last;
}

/** The serial of the youngest attempt there is. */
export function lastSerial(): number {
  return serials.last;
}
