// Those who call: each when his time has come, with what he says of it, and with how it ends for him.
import type { CallOptions, Protected } from "../../core/operation.ts";
import { stackOf } from "../../core/stack.ts";
import type { Settled } from "../../core/story.ts";
import type { CallerLog, Hand } from "./ledger.ts";
import type { Caller } from "./script.ts";
import type { World } from "./world.ts";

/** A call of whatever input and output. */
// biome-ignore lint/suspicious/noExplicitAny: a call takes what its own input is
export type AnyCall = Protected<any, unknown>;

export type Enter = (input: unknown, options: CallOptions) => PromiseLike<Settled<unknown>>;

/** A call, and how it is entered. */
export interface Target {
  readonly call: AnyCall;
  readonly enter: Enter;
}

export class Callers {
  private readonly world: World;
  private readonly targets: readonly Target[];
  private readonly input: (caller: number) => unknown;
  private readonly given: (caller: number) => number | undefined;
  /** Of all who share one. */
  private readonly common = handOf();

  constructor(
    world: World,
    targets: readonly Target[],
    input: (caller: number) => unknown,
    given: (caller: number) => number | undefined = () => undefined,
  ) {
    this.world = world;
    this.targets = targets;
    this.input = input;
    this.given = given;
  }

  /** He calls when his time has come. */
  invite(plan: Caller, probes = false): void {
    const caller = this.log(plan, probes);
    this.world.at(plan.at, () => this.begin(caller));
  }

  /** He calls at once, in the middle of what is going on. */
  burstIn(plan: Caller): void {
    this.begin(this.log(plan, false));
  }

  private log(plan: Caller, probes: boolean): CallerLog {
    const { callers } = this.world;
    const no = callers.length;
    const caller: CallerLog = {
      no,
      plan,
      probes,
      input: this.input(no),
      hand: plan.shares ? this.common : handOf(),
      startedAt: Number.NaN,
      dueAt: Number.POSITIVE_INFINITY,
      abortedAt: undefined,
      abortedInStep: undefined,
      settledAt: undefined,
      settledInStep: undefined,
      settledTimes: 0,
      result: undefined,
      runs: [],
    };
    callers.push(caller);
    return caller;
  }

  private begin(caller: CallerLog): void {
    const { world } = this;
    const { plan, no, hand, input } = caller;
    const { abort } = plan;
    const target = this.targets[plan.to ?? 0] as Target;
    caller.startedAt = world.coming;
    const said = Math.min(plan.deadline ?? Number.POSITIVE_INFINITY, this.given(no) ?? Number.POSITIVE_INFINITY);
    caller.dueAt = caller.startedAt + Math.min(deadlineOf(target.call), said);
    world.waiting.add(caller);
    world.tell(`call ${no}`);
    if (abort === "before") world.goAway(caller);
    else if (typeof abort === "number") world.at(caller.startedAt + abort, () => world.goAway(caller));
    const options: CallOptions = {
      ...((abort !== undefined || plan.shares) && { signal: hand.controller.signal }),
      ...(plan.deadline !== undefined && { deadline: plan.deadline }),
      ...(plan.key && { idempotencyKey: `key of call ${no}` }),
      ...(plan.accept !== undefined && { accept: plan.accept }),
      ...(plan.criticality !== undefined && { criticality: plan.criticality }),
    };
    world.within(caller, () => {
      target.enter(input, options).then((result) => this.settle(caller, result));
    });
  }

  private settle(caller: CallerLog, result: Settled<unknown>): void {
    const { world } = this;
    caller.settledTimes++;
    caller.result = result;
    caller.settledAt = world.coming;
    caller.settledInStep = world.step;
    world.waiting.delete(caller);
    world.tell(`call ${caller.no} settles: ${result.story.state}`);
  }
}

/** A signal that tells how many listen to it. */
function handOf(): Hand {
  const controller = new AbortController();
  const { signal } = controller;
  const hand: Hand = { controller, listeners: 0 };
  const add = signal.addEventListener.bind(signal) as (...given: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...given: unknown[]) => void;
  const listening = new Set<unknown>();
  const count = () => {
    hand.listeners = listening.size;
  };
  Object.assign(signal, {
    addEventListener(type: string, listener: unknown, ...rest: unknown[]) {
      listening.add(listener);
      count();
      add(type, listener, ...rest);
    },
    removeEventListener(type: string, listener: unknown, ...rest: unknown[]) {
      listening.delete(listener);
      count();
      remove(type, listener, ...rest);
    },
  });
  return hand;
}

/** What it declares of itself as a whole, now; `Infinity`: nothing. */
function deadlineOf(call: AnyCall): number {
  return stackOf(call)?.deadline?.ms ?? Number.POSITIVE_INFINITY;
}
