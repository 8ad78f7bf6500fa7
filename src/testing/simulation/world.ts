// The world of one simulation: its time, its callers, its services, and what has happened in it.
import type { AsyncLocalStorage } from "node:async_hooks";
import { type EventBus, eventBus } from "../../core/bus.ts";
import { type Clock, sleepOn } from "../../core/clock.ts";
import type { AnyEvent } from "../../core/events.ts";
import type { CallContext } from "../../core/operation.ts";
import { type TestClock, testClock } from "../clock.ts";
import { wayOf } from "./failures.ts";
import type { CallerLog, Run, Violation } from "./ledger.ts";
import type { Found, Rule } from "./rule.ts";
import type { Behaviour } from "./script.ts";
import type { Player, Service } from "./stage.ts";
import type { Trace } from "./trace.ts";

/** More steps than these for a caller, and something goes round in circles. */
const mostSteps = 2_000;
/** More findings are of no use. */
const mostViolations = 100;

const well: Behaviour = { gives: "value" };

/** Why a caller goes away. */
export class Gone extends Error {
  override readonly name = "Gone";
  constructor(no: number) {
    super(`caller ${no} has gone away`);
  }
}

export class World implements Player {
  /** A step is whatever falls due at a moment, one after the other. */
  step = 0;
  /** Of the last step, ms. */
  now = 0;
  readonly callers: CallerLog[] = [];
  /** Those who wait for their answers. */
  readonly waiting = new Set<CallerLog>();
  readonly runs: Run[] = [];
  /** Those that have not ended. */
  readonly running = new Set<Run>();
  readonly events: AnyEvent[] = [];
  readonly violations: Violation[] = [];
  /** Rejections that nobody heard. */
  readonly unheard: unknown[] = [];
  readonly bus: EventBus = eventBus();
  /** Of everything that is being tested and of the services: each timer is a step. */
  readonly clock: Clock;
  /** Callers share runs, as those of a cache do: a run goes on while anybody waits for it. */
  shares = false;
  private readonly time: TestClock;
  private readonly rules: readonly Rule[];
  private readonly trace: Trace;
  private readonly who: AsyncLocalStorage<CallerLog>;
  private readonly hanging = new Map<Run, () => void>();
  private stuck = false;

  constructor(rules: readonly Rule[], trace: Trace, who: AsyncLocalStorage<CallerLog>, watched: boolean) {
    this.rules = rules;
    this.trace = trace;
    this.who = who;
    const time = testClock();
    const clock: Clock = {
      now: () => time.now(),
      monotonic: () => time.monotonic(),
      sleep: (ms, signal) => sleepOn(clock, ms, signal),
      timer: (ms, entry) => time.timer(ms, { expire: () => this.next() && entry.expire() }),
    };
    this.time = time;
    this.clock = clock;
    if (watched)
      this.bus.onAny((event) => {
        this.events.push(event);
        this.trace.event(event);
        if (event.type === "cache.missed" || event.type === "cache.hit") this.shares = true;
        for (const rule of this.rules) rule.heard?.(event, this, this.found(rule));
      });
  }

  get watched(): boolean {
    return this.bus.quiet !== true;
  }

  /** Timers and sleeps that are pending. */
  get timers(): number {
    return this.time.sleepers;
  }

  at(ms: number, act: () => void): void {
    this.clock.timer(ms - this.time.monotonic(), { expire: act });
  }

  /** Lets everything happen that falls due within so many ms. */
  async pass(ms: number): Promise<void> {
    await this.time.advance(ms);
    this.stepped();
  }

  /** Lets services that hang answer after all; gives whether any did. */
  letGo(): boolean {
    const all = [...this.hanging.values()];
    this.hanging.clear();
    for (const answer of all) answer();
    return all.length > 0;
  }

  ask(moment: "quiet" | "ended"): void {
    for (const rule of this.rules) rule[moment]?.(this, this.found(rule));
  }

  tell(line: string): void {
    this.trace.add(`${this.time.monotonic()} ${line}`);
  }

  /** Whoever is on the way here: a service, or the caller himself. */
  within<T>(caller: CallerLog, act: () => T): T {
    return this.who.run(caller, act);
  }

  serve(service: Service, input: unknown, context: CallContext | undefined): Promise<unknown> {
    const caller = this.who.getStore();
    const run = this.begin(service, caller, input, context);
    for (const rule of this.rules) rule.called?.(run, this, this.found(rule));
    const { behaviour, signal } = run;
    const { gives, after, deaf } = behaviour;
    if (caller?.plan.abort === "inside" && caller.runs.length === 1) this.goAway(caller);
    if (gives !== "value" && gives !== "lie" && gives !== "nothing" && wayOf(gives).synchronous) {
      const error = wayOf(gives).make();
      this.end(run, false, error);
      throw error;
    }
    return new Promise((resolve, reject) => {
      const answer = () => this.answer(run, service, resolve, reject);
      if (gives !== "nothing" && after === undefined) return answer();
      if (gives === "nothing") this.hanging.set(run, answer);
      const undo =
        gives === "nothing" ? () => this.hanging.delete(run) : this.clock.timer(after ?? 0, { expire: answer });
      if (deaf || signal === undefined) return;
      const stop = () => {
        if (run.endedAt !== undefined) return;
        undo();
        this.end(run, false, signal.reason);
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** The caller aborts; of a signal that several have, all do. */
  goAway(caller: CallerLog): void {
    const { controller } = caller.hand;
    if (controller.signal.aborted) return;
    for (const one of this.callers) {
      if (one.hand !== caller.hand) continue;
      one.abortedAt = this.time.monotonic();
      one.abortedInStep = this.step;
    }
    this.tell(`call ${caller.no} is aborted`);
    controller.abort(new Gone(caller.no));
  }

  private begin(
    service: Service,
    caller: CallerLog | undefined,
    input: unknown,
    context: CallContext | undefined,
  ): Run {
    const { meets } = caller?.plan ?? { meets: [] };
    const nth = caller?.runs.length ?? 0;
    const signal = context?.signal ?? undefined;
    const run: Run = {
      no: this.runs.length,
      service: service.name,
      caller,
      behaviour: meets[Math.min(nth, meets.length - 1)] ?? well,
      input,
      startedAt: this.time.monotonic(),
      startedInStep: this.step,
      told:
        typeof context?.call !== "string"
          ? undefined
          : {
              name: context.name,
              call: context.call,
              attempt: context.attempt,
              tier: context.tier,
              previous: context.previous.length,
              idempotencyKey: context.idempotencyKey,
              criticality: context.criticality,
            },
      signal,
      received: true,
      abortedAt: signal?.aborted ? this.time.monotonic() : undefined,
      abortedInStep: signal?.aborted ? this.step : undefined,
      endedAt: undefined,
      endedInStep: undefined,
      ok: undefined,
      gave: undefined,
    };
    this.runs.push(run);
    this.running.add(run);
    caller?.runs.push(run);
    signal?.addEventListener(
      "abort",
      () => {
        run.abortedAt = this.time.monotonic();
        run.abortedInStep = this.step;
        if (run.endedAt === undefined) this.left(run);
      },
      { once: true },
    );
    this.tell(`${service.name} is called for ${caller === undefined ? "nobody" : `call ${caller.no}`}`);
    return run;
  }

  private answer(
    run: Run,
    { give, lie }: Service,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    if (run.endedAt !== undefined) return;
    const { gives } = run.behaviour;
    if (gives === "value" || gives === "lie" || gives === "nothing") {
      try {
        const value = (gives === "lie" ? lie : give)(run.input as never);
        this.end(run, true, value);
        resolve(value);
      } catch (error) {
        this.end(run, false, error);
        reject(error);
      }
      return;
    }
    const way = wayOf(gives);
    const made = way.make();
    run.received = way.received;
    this.end(run, way.delivered === true, made);
    if (way.delivered) resolve(made);
    else reject(made);
  }

  private end(run: Run, ok: boolean, gave: unknown): void {
    run.ok = ok;
    run.gave = gave;
    run.endedAt = this.time.monotonic();
    run.endedInStep = this.step;
    this.running.delete(run);
    if (run.abortedAt === undefined) this.left(run);
    this.tell(`${run.service} ends run ${run.no}, ${ok ? "well" : "badly"}`);
  }

  private left(run: Run): void {
    for (const rule of this.rules) rule.left?.(run, this, this.found(rule));
  }

  /** Time goes on: what had to happen by now has happened. Gives whether it may. */
  private next(): boolean {
    this.stepped();
    return !this.stuck;
  }

  private stepped(): void {
    for (const rule of this.rules) rule.stepped?.(this, this.found(rule));
    this.step++;
    this.now = this.time.monotonic();
    if (this.stuck || this.step < mostSteps * (this.callers.length + 10)) return;
    this.stuck = true;
    this.violations.push({
      rule: "comes to rest",
      says: "When nobody calls any more, everything comes to rest.",
      what: `timers were still being set after ${this.step} steps`,
      at: this.now,
    });
  }

  /** What the coming step's time will be. */
  get coming(): number {
    return this.time.monotonic();
  }

  private found({ name, says }: Rule): Found {
    return (what) => {
      if (this.violations.length < mostViolations)
        this.violations.push({ rule: name, says, what, at: this.time.monotonic() });
    };
  }
}
