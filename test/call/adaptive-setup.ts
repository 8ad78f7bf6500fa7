// What the tests of limits that are found out share: a service with so many slots and a queue, and callers that do not wait for one another.
import { type CallOptions, type Criticality, eventBus, type Protected } from "holdfast";
import { record, seededRandom, testClock } from "holdfast/testing";
import { type AdaptiveLimitOptions, adaptiveLimit } from "../../src/call/adaptiveLimit.ts";

export function setup(options: AdaptiveLimitOptions = {}, seed = 1) {
  const clock = testClock();
  const events = eventBus();
  const seen = record(events);
  const random = seededRandom(seed);
  const limit = adaptiveLimit(options, { clock, events, random, name: "search" });
  return { clock, events, seen, random, limit };
}

export type World = Pick<ReturnType<typeof setup>, "clock" | "random">;

/** A service that works at `slots` at once and lets others wait in a line: each takes `ms`, or on average so long. */
export function service(
  { clock, random }: World,
  slots: number,
  ms: number,
  spread: "constant" | "exponential" = "constant",
) {
  const line: (() => void)[] = [];
  const own = { slots, ms, served: 0, busy: 0, waiting: () => line.length, most: 0, operation };
  function operation(): Promise<void> {
    return new Promise((resolve) => {
      const begin = () => {
        own.busy++;
        const takes = spread === "constant" ? own.ms : -Math.log(1 - random()) * own.ms;
        clock.timer(takes, {
          expire() {
            own.busy--;
            own.served++;
            resolve();
            if (own.busy < own.slots) line.shift()?.();
          },
        });
      };
      if (own.busy < own.slots) begin();
      else line.push(begin);
      own.most = Math.max(own.most, own.busy + line.length);
    });
  }
  return own;
}

export interface Heard {
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
  readonly error?: unknown;
}

/** Calls that come by chance, so many a second, whatever becomes of those before them; with what became of each. */
export function crowd<I = void>(
  { clock, random }: World,
  call: Protected<I, unknown>,
  perSecond: number,
  said?: CallOptions | (() => CallOptions),
  input?: I,
) {
  const all: Heard[] = [];
  let rate = perSecond;
  const next = () => clock.timer((-Math.log(1 - random()) / rate) * 1_000, { expire: come });
  const come = () => {
    if (rate === 0) return;
    const at = clock.monotonic();
    call(input as I, typeof said === "function" ? said() : said).then(
      () => all.push({ at, ms: clock.monotonic() - at, ok: true }),
      (error) => all.push({ at, ms: clock.monotonic() - at, ok: false, error }),
    );
    next();
  };
  next();
  const count = (since: number, isOk: boolean) => all.filter(({ at, ok }) => at >= since && ok === isOk).length;
  return {
    all,
    change(to: number) {
      rate = to;
    },
    refused: (since = 0) => count(since, false),
    served: (since = 0) => count(since, true),
    /** Of those that have an answer, the share that was refused. */
    share: (since = 0) => count(since, false) / (count(since, false) + count(since, true)),
    /** Latency below which this share of the answers stayed. */
    within(share: number, since = 0) {
      const sorted = all.flatMap(({ at, ms, ok }) => (ok && at >= since ? [ms] : [])).sort((a, b) => a - b);
      return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
    },
  };
}

export const said = (criticality: Criticality): CallOptions => ({ criticality });
