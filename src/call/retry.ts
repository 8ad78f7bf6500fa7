// Tries again what may do better next time: on p-retry, after the verdict, at the other side's hint.
import pRetry from "p-retry";
import { z } from "zod";
import { mayAsk } from "../core/askable.ts";
import type { AttemptRecord } from "../core/attempt.ts";
import { type Budget, fundOwn, isBudget, takeOne } from "../core/budget.ts";
import { elsewhere } from "../core/chain.ts";
import { durationSchema, limitSchema } from "../core/duration.ts";
import { HoldfastError } from "../core/errors.ts";
import { asked, askedNow, FAULT } from "../core/final.ts";
import type { Duration, Wrapper } from "../core/operation.ts";
import { triesOf } from "../core/rare.ts";
import { mustNotRepeat } from "../core/repeat.ts";
import type { Seams } from "../core/seams.ts";
import type { InnerRecovery } from "../core/stack.ts";
import type { Outcome, Verdict } from "../core/verdict.ts";
import { functionSchema } from "../core/wanted.ts";
import { defineWrapper, type Tools } from "../core/wrapper.ts";
import { type Backoff, delayAfter, type Jitter } from "./backoff.ts";

export interface RetryOptions<O = unknown> {
  /** Rounds, the first included; 3. */
  attempts?: number | undefined;
  /** How the wait grows, or a function from the round just failed (from 1) to ms; exponential. */
  backoff?: Backoff | undefined;
  /** The first wait; 100 ms. */
  base?: Duration | undefined;
  /** The longest wait; 20 s. */
  cap?: Duration | undefined;
  /** What of the wait is left to chance; full. */
  jitter?: Jitter | undefined;
  /** No round begins later than this after the first; no limit. */
  maxElapsed?: Duration | undefined;
  /** How long a refusal of our own, or a hint while another way is ready, is waited for; 1 s. */
  patience?: Duration | undefined;
  /** What each round after the first takes one from, and shares with hedges and other calls; default that of the declaration, else none. */
  budget?: Budget | undefined;
  /** Decides in place of the verdict, on errors and on values; not asked about cancellation, the deadline, refused input and refusals of our own. */
  when?: ((outcome: Outcome<O>, verdict: Verdict | undefined) => boolean | Promise<boolean>) | undefined;
}

export interface Retry extends Wrapper {
  readonly kind: "retry";
}

export const retrySchema = z.strictObject({
  attempts: z.int().min(1).default(3),
  backoff: z
    .union([z.enum(["exponential", "linear", "constant"]), functionSchema<(attempt: number) => number>()], {
      error: '"exponential", "linear", "constant" or a function',
    })
    .default("exponential"),
  base: durationSchema.prefault("100ms"),
  cap: durationSchema.prefault("20s"),
  jitter: z.enum(["full", "decorrelated", "none"]).default("full"),
  maxElapsed: limitSchema.prefault(Number.POSITIVE_INFINITY),
  patience: durationSchema.prefault("1s"),
  budget: z.custom<Budget>(isBudget, { error: "a budget, as `budget()` gives it" }).optional(),
  when: functionSchema<When>().optional(),
});

type When = NonNullable<RetryOptions["when"]>;
type Options = z.output<typeof retrySchema>;

/**
 * Tries again, by default three rounds in all, with exponential back-off and full jitter, where the verdict says that
 * the same may do better next time; a `Retry-After` is kept to. Ends at once on abort and when the deadline leaves no time.
 * @throws OptionsInvalidError when made with options that cannot be meant
 * @example
 * const user = retry({ attempts: 4, base: "50ms" })(async (id: string) => ({ id }));
 * await user("ada");
 */
export function retry(options: RetryOptions = {}, seams?: Partial<Seams>): Retry {
  return defineWrapper(
    "retry",
    retrySchema,
    options,
    (given, tools) => {
      const live = { options: given };
      const recovery = recoveryOf(live, tools);
      return {
        recovery,
        change: (options) => () => {
          live.options = options;
          recovery.hearsSuccess = hearsSuccess(options);
        },
      };
    },
    seams,
  ) as Retry;
}

/** Read at each decision: rounds under way go on by what stands then. */
interface Live {
  options: Options;
}

function recoveryOf(live: Live, tools: Tools): InnerRecovery {
  return {
    // a value and no getter: it is asked of every success
    hearsSuccess: hearsSuccess(live.options),
    notesFailures: true,
    recover(attempt) {
      const first = attempt as AttemptRecord;
      const { budget, when } = live.options;
      if (budget !== undefined) fundOwn(first, budget, first.at);
      if (first.verdict === undefined && when === undefined) return undefined;
      if (first.said?.retry === false) return undefined;
      const rounds = new Rounds(first, live, tools);
      return rounds.mayGoOn() ? rounds.run() : rounds.giveUp();
    },
  };
}

function hearsSuccess({ budget, when }: Options): boolean {
  return budget !== undefined || when !== undefined;
}

/** All that p-retry ever sees: it unwraps some errors, wraps others, and does not retry a third kind. */
const failed = new Error("this round failed");

/** Over so much those come back who wait for the same. */
const leastSpreadMs = 1_000;

class Rounds {
  private readonly first: AttemptRecord;
  private readonly at: number;
  private readonly live: Live;
  private readonly tools: Tools;
  /** The attempt of the last round. */
  private latest: AttemptRecord;
  /** The last one whose operation was called: what the call ends with if later ones are turned away. */
  private ran: AttemptRecord | undefined;
  /** Whether a layer of our own turned the last round away. */
  private refused: boolean;
  private round = 1;
  private waited = 0;
  /** Of the patience, on waits for admission. */
  private spentMs = 0;

  constructor(first: AttemptRecord, live: Live, tools: Tools) {
    this.first = first;
    this.at = first.at;
    this.live = live;
    this.tools = tools;
    this.latest = first;
    this.refused = isRefused(first, 0);
    if (!this.refused) this.ran = first;
  }

  private get options(): Options {
    return this.live.options;
  }

  /** Whether there is anything to do at all: a clear no never enters p-retry. */
  mayGoOn(): boolean {
    if (this.refused) return this.admissionMs() !== undefined;
    return this.options.attempts > 1 && this.isOpen();
  }

  giveUp(): undefined {
    const { verdict } = this.latest;
    if (verdict === undefined || verdict.kind === "cancelled" || this.first.isCut) return;
    this.first.call.gaveUp = true;
    const { attempts, when } = this.options;
    if (this.refused || this.round < attempts || !(verdict.retry || when !== undefined)) return;
    this.tools.emit(this.first.context, "retry.exhausted", { attempts: this.round, kind: verdict.kind });
  }

  async run(): Promise<unknown> {
    this.first.note();
    try {
      await pRetry(
        // thrown before there is a promise: one that is rejected before anybody holds it costs Node two looks
        (round) => (round === 1 && !this.refused ? this.conclude() : this.goOn(round)),
        // `again` counts the rounds: how many there may be can change under way
        { retries: Number.POSITIVE_INFINITY, minTimeout: 0, shouldRetry: () => this.again() },
      );
    } catch (error) {
      if (error !== failed) throw error;
    }
    return this.end();
  }

  private async goOn(round: number): Promise<void> {
    this.round = round;
    if (round > 1) await this.next();
    // a refusal of our own costs no attempt
    while (this.refused && (await this.waitForAdmission())) await this.next();
    this.conclude();
  }

  private conclude(): void {
    if (this.latest.verdict !== undefined || this.options.when !== undefined) throw failed;
  }

  private async next(): Promise<void> {
    const { first, at } = this;
    const before = triesOf(first.call);
    try {
      await first.ask(first.segment, at, first.inputAt(at));
    } catch {} // the attempt knows how it ended
    this.latest = first.last ?? first;
    this.refused = isRefused(this.latest, before);
    if (!this.refused) this.ran = this.latest;
  }

  /** Ends with the last round; with the last that ran, where later ones were turned away. */
  private end(): unknown {
    const decisive = this.refused && this.ran !== undefined ? this.ran : this.latest;
    this.first.heard(decisive);
    this.giveUp();
    const { outcome } = decisive;
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }

  private async again(): Promise<boolean> {
    const { first, latest, options, tools, round } = this;
    const { attempts, when } = options;
    if (round >= attempts || this.refused || !this.isOpen()) return false;
    const { outcome, verdict } = latest;
    const decides = mayAsk(outcome, verdict) ? when : undefined;
    if (decides && !(await asked(() => decides(outcome, verdict), "retry.when", decides))) return false;
    const delayMs = askedNow(() => this.delayMs());
    if (first.remainingMs() === 0) await first.pause(1); // the deadline has come: its timer is about to say so
    if (first.isCut || delayMs === undefined || !takeOne(first, options.budget)) return false;
    tools.emit(first.context, "retry.scheduled", {
      attempt: round + 1,
      delayMs,
      kind: latest.verdict?.kind ?? "unknown",
    });
    this.waited = delayMs;
    if (delayMs > 0) await first.pause(delayMs);
    else if (round % 16 === 0) await breathe();
    return !first.isCut;
  }

  /** Whether the last round leaves the question open, as far as it can be told without asking `when`. */
  private isOpen(): boolean {
    const { first, latest, options } = this;
    const { verdict, value } = latest;
    if (first.isCut || verdict === FAULT) return false;
    if (verdict === undefined) return options.when !== undefined;
    if (latest.isCut || first.isFinal(value)) return false;
    if (mustNotRepeat(first, latest, verdict)) return false;
    if (!mayAsk(latest.outcome, verdict)) return verdict.kind === "notAdmitted" && verdict.retry;
    return verdict.retry || options.when !== undefined;
  }

  /** Ms to wait; `undefined`: not worth it, or no time for it. */
  private delayMs(): number | undefined {
    const { first, options, tools } = this;
    const hint = this.latest.verdict?.retryAfterMs;
    // "at once" is no plan for a hundred callers: then our own back-off
    const delay = hint || delayAfter(this.round, this.waited, options, tools.random);
    const longest = elsewhere(first, this.at) === 0 ? options.patience : hint === undefined ? delay : options.cap;
    const left = first.remainingMs();
    if (delay > longest || delay >= left) return undefined;
    return first.now() - first.startedAt + delay > options.maxElapsed ? undefined : delay;
  }

  /** Ms until our own layers would admit, where that is worth waiting for. */
  private admissionMs(): number | undefined {
    const { first, latest, options, spentMs, tools } = this;
    const { verdict } = latest;
    const patience = options.patience - spentMs;
    if (first.isCut || verdict?.kind !== "notAdmitted" || verdict.retryAfterMs === undefined) return undefined;
    const { retryAfterMs } = verdict;
    if (retryAfterMs > patience || elsewhere(first, this.at) === 0) return undefined;
    const left = first.remainingMs();
    if (retryAfterMs >= left) return undefined;
    // all who wait would come back at the same moment, on top of those who come then
    const spread = Math.min(Math.max(leastSpreadMs, retryAfterMs), patience - retryAfterMs, (left - retryAfterMs) / 2);
    return Math.max(1, retryAfterMs + spread * tools.random());
  }

  private async waitForAdmission(): Promise<boolean> {
    const { first, round } = this;
    const delayMs = askedNow(() => this.admissionMs());
    if (delayMs === undefined) return false;
    this.spentMs += delayMs;
    this.tools.emit(first.context, "retry.scheduled", { attempt: round, delayMs, kind: "notAdmitted" });
    await first.pause(delayMs);
    return !first.isCut;
  }
}

/** Turned away by a layer of ours: nothing was called, and not because the answer, or a failure, came from elsewhere. */
function isRefused({ call, threw, value, verdict }: AttemptRecord, triesBefore: number): boolean {
  if (triesOf(call) !== triesBefore || !threw) return false;
  return verdict?.kind === "notAdmitted" || HoldfastError.is(value, "INPUT_REJECTED");
}

/** Taken before a test's fake timers can be laid over it. */
const nextTurn: (go: () => void) => unknown = globalThis.setImmediate ?? setTimeout;

/** Rounds without a wait in between would starve every timer, the deadline's too. */
const breathe = () => new Promise<void>((resolve) => nextTurn(resolve));
