// Everything that a bus tells, kept for a test to look at.
import type { EventBus } from "../core/bus.ts";
import type { AnyEvent, EventOf, EventType } from "../core/events.ts";
import { LiveSeams } from "../core/seams.ts";

export interface Recording {
  /** In the order in which they were told; grows until `stop`. */
  readonly events: readonly AnyEvent[];
  of<T extends EventType>(type: T): ReadonlyArray<EventOf<T>>;
  /** Hears no more; keeps what it has. */
  stop(): void;
}

/**
 * Records what a bus tells from now on; without one, the bus in force when it is called.
 * @example
 * const seen = record();
 * await protect("answer", async () => 42)();
 * console.log(seen.events.map((event) => event.type).join(" ")); // → call.started attempt.started call.settled
 * seen.stop();
 */
export function record(bus: EventBus = new LiveSeams().events): Recording {
  const events: AnyEvent[] = [];
  const stop = bus.onAny((event) => {
    events.push(event);
  });
  return {
    events,
    of: <T extends EventType>(type: T) => events.filter((event): event is AnyEvent & EventOf<T> => event.type === type),
    stop,
  };
}
