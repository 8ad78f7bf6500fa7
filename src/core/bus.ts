// The one bus: whatever happens is told here, and nobody who listens can change what happens.
import { type Clock, inForce } from "./clock.ts";
import { ATTEMPT } from "./context.ts";
import { OptionsInvalidError } from "./errors.ts";
import { type AnyEvent, type EventMap, type EventOf, type EventType, severities } from "./events.ts";
import { shared } from "./shared.ts";

type Listener = (event: AnyEvent) => unknown;
/** Hear only what this call, or this component, does. */
export interface Only {
  name?: string | undefined;
  component?: string | undefined;
}
interface Subscription {
  readonly listener: Listener;
  readonly only: Only | undefined;
  /** Hears no more, also not what is being told at the moment. */
  undone: boolean;
}
/** Of which call an event tells. */
export interface About {
  readonly name: string;
  readonly component: string;
  readonly call?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Every subscription gives its undo. Dispatch is synchronous; a listener that throws or rejects becomes `listener.failed`. */
export interface EventBus {
  on<T extends EventType>(
    type: T | readonly T[],
    listener: (event: NoInfer<EventOf<T>>) => void,
    only?: Only,
  ): () => void;
  once<T extends EventType>(type: T, listener: (event: NoInfer<EventOf<T>>) => void): () => void;
  onAny(listener: (event: AnyEvent) => void): () => void;
  /** As an async iterator; what is not read in time is dropped, the oldest first, and counted. `max` defaults to 1000. */
  stream<T extends EventType>(
    type: T | readonly T[],
    options?: { max?: number | undefined },
  ): AsyncIterable<EventOf<T>> & { readonly dropped: number };
  /** Whether anybody listens: asked before an event is built. */
  wants(type: EventType): boolean;
  /** Nobody listens to anything; a bus that does not say is taken to have listeners. */
  readonly quiet?: boolean | undefined;
  /** Tells an event of one's own; `about` says whose it is. */
  emit<T extends EventType>(type: T, facts: EventMap[T], about: About): void;
}

interface Timed {
  readonly stack?: { readonly seams?: { readonly clock: Clock } };
}

const none: readonly Subscription[] = [];
const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/**
 * A bus of its own, for the `events` seam; without it all calls share `events`.
 * @example
 * const bus = eventBus();
 * bus.onAny((event) => console.log(event.type));
 */
export function eventBus(): EventBus {
  // replaced, never changed: a listener may come or go while an event is being told
  const byType = new Map<string, readonly Subscription[]>();
  let toAll = none;

  /** A property and no getter: it is asked several times a call. */
  function count(): void {
    (bus as { quiet: boolean }).quiet = toAll.length === 0 && byType.size === 0;
  }

  function subscribe(types: readonly string[], subscription: Subscription): () => void {
    for (const type of types) byType.set(type, [...(byType.get(type) ?? none), subscription]);
    count();
    return () => {
      subscription.undone = true;
      for (const type of types) {
        const rest = (byType.get(type) ?? none).filter((one) => one !== subscription);
        if (rest.length > 0) byType.set(type, rest);
        else byType.delete(type);
      }
      count();
    };
  }

  function dispatch(event: AnyEvent): void {
    const listening = byType.get(event.type);
    if (listening !== undefined) for (const one of listening) hear(one, event);
    for (const one of toAll) hear(one, event);
  }

  function hear({ listener, only, undone }: Subscription, event: AnyEvent): void {
    if (undone) return;
    if (only?.name !== undefined && only.name !== event.name) return;
    if (only?.component !== undefined && only.component !== event.component) return;
    try {
      const given = listener(event);
      if (typeof given === "object" && given !== null && typeof (given as PromiseLike<unknown>).then === "function")
        (given as PromiseLike<unknown>).then(undefined, (error) => failed(event, error));
    } catch (error) {
      failed(event, error);
    }
  }

  function failed(event: AnyEvent, error: unknown): void {
    if (event.type === "listener.failed") return; // would never end
    bus.emit("listener.failed", { heard: event.type, error }, event);
  }

  const bus: EventBus = {
    on: (type, listener, only) =>
      subscribe(typeof type === "string" ? [type] : [...new Set(type)], {
        listener: listener as Listener,
        only,
        undone: false,
      }),
    once(type, listener) {
      const undo = bus.on(type, (event) => {
        undo();
        return listener(event);
      });
      return undo;
    },
    onAny(listener) {
      const subscription: Subscription = { listener: listener as Listener, only: undefined, undone: false };
      toAll = [...toAll, subscription];
      count();
      return () => {
        subscription.undone = true;
        toAll = toAll.filter((one) => one !== subscription);
        count();
      };
    },
    stream: (type, options) => eventStream(bus, type, checkedMax(options?.max ?? 1_000)),
    quiet: true,
    wants: (type) => toAll.length > 0 || byType.has(type),
    emit(type, facts, about) {
      if (!bus.wants(type)) return;
      const { name, component, call, labels } = about;
      const severity = severities[type] ?? "info";
      const at = clockOf(about).now();
      dispatch(
        Object.freeze({ ...facts, type, name, component, call, at, severity, labels: labels ?? noLabels }) as AnyEvent,
      );
    },
  };
  return bus;
}

/** That of the call, whose record or context this is: it may have been given its own. */
function clockOf(about: About): Clock {
  const { stack, [ATTEMPT]: attempt } = about as Timed & { readonly [ATTEMPT]?: { readonly call: Timed } };
  return (stack ?? attempt?.call.stack)?.seams?.clock ?? inForce.clock;
}

function eventStream<T extends EventType>(bus: EventBus, type: T | readonly T[], max: number) {
  const held: EventOf<T>[] = [];
  let dropped = 0;
  let waiting: ((result: IteratorResult<EventOf<T>>) => void)[] = [];
  let ended = false;
  const undo = bus.on(type, (event) => {
    const reader = waiting.shift();
    if (reader !== undefined) return reader({ done: false, value: event });
    if (held.push(event) > max) {
      held.shift();
      dropped++;
    }
  });
  const iterator: AsyncIterator<EventOf<T>> = {
    next() {
      const value = held.shift();
      if (value !== undefined) return Promise.resolve({ done: false, value });
      if (ended) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve) => waiting.push(resolve));
    },
    return() {
      ended = true;
      undo();
      held.length = 0;
      for (const reader of waiting) reader({ done: true, value: undefined });
      waiting = [];
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return {
    [Symbol.asyncIterator]: () => iterator,
    get dropped() {
      return dropped;
    },
  };
}

function checkedMax(max: number): number {
  if (Number.isSafeInteger(max) && max > 0) return max;
  throw new OptionsInvalidError("stream", [{ path: "max", got: max, wanted: "a whole number, at least 1" }]);
}

/** The bus that every call shares unless it was given another. */
export const events: EventBus = shared("events", eventBus);
