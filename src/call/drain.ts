// The end of a process, or of a component of it: not ready, then nothing new, then what runs has time to finish.
import { z } from "zod";
import { durationSchema } from "../core/duration.ts";
import { stackless } from "../core/errors.ts";
import { addDrain, type Draining, flying, type Linked, openDrains } from "../core/inFlight.ts";
import { ShuttingDownError } from "../core/loadErrors.ts";
import type { Duration } from "../core/operation.ts";
import { holdReadiness } from "../core/readiness.ts";
import type { CallRecord } from "../core/record.ts";
import { generation, LiveSeams, type Seams } from "../core/seams.ts";
import { openPromise } from "../core/wake.ts";
import { parseOptions } from "../core/wrapper.ts";

export interface DrainOptions {
  /** All of it: what still runs then is cancelled. */
  within: Duration;
  /** Of it, so long new calls are still taken, until those who send them have seen that this one is not ready; default 0. */
  grace?: Duration | undefined;
  /** Only the calls of this component, by a name that need not be in use yet; readiness of the process stays as it is. Default: the whole process. */
  component?: string | undefined;
}

export interface Drained {
  /** Calls that ended by themselves. */
  readonly finished: number;
  /** Calls that were ended, because the time was over. */
  readonly cancelled: number;
}

const schema = z
  .strictObject({
    within: durationSchema,
    grace: durationSchema.prefault(0),
    component: z.string({ error: "the name of a component" }).min(1, { error: "the name of a component" }).optional(),
  })
  .refine(({ within, grace }) => grace <= within, {
    path: ["grace"],
    error: "at most `within`, of which it is a part",
  });

/**
 * Shuts down without losing what is under way: readiness turns false at once; for `grace` new calls are still taken;
 * then they are refused with a `ShuttingDownError`, while those in flight, and what they call, go on. It resolves with
 * the last of them, or when `within` is over: what still runs then is ended with a `ShuttingDownError`. What it waited
 * for can be closed after it. A second drain of the same joins the first. There is no way back but to start again.
 * @throws OptionsInvalidError (it rejects) when asked with options that cannot be meant
 * @example
 * // `on`: with `once` a second signal would kill the process
 * process.on("SIGTERM", async () => {
 *   const { finished, cancelled } = await drain({ within: "10s", grace: "2s" });
 *   console.log(`${finished} finished, ${cancelled} cancelled`);
 * });
 * @see Kubernetes, Pod Lifecycle: Termination of Pods
 */
export async function drain(options: DrainOptions, seams?: Partial<Seams>): Promise<Drained> {
  const settings = parseOptions("drain", schema, options);
  const on = openDrains().find(({ component }) => component === settings.component);
  if (on !== undefined) return on.end as Promise<Drained>;
  const drain = new Drain(settings, new LiveSeams(seams));
  addDrain(drain);
  return drain.run();
}

class Drain implements Draining {
  readonly component: string | undefined;
  readonly born = generation();
  closed = false;
  readonly end: Promise<Drained>;
  private readonly settings: z.output<typeof schema>;
  private readonly seams: LiveSeams;
  private readonly settle: (drained: Drained) => void;
  private finished = 0;
  /** How many are in flight since nothing new is begun. */
  private awaited = 0;
  private over: (() => void) | undefined = undefined;

  constructor(settings: z.output<typeof schema>, seams: LiveSeams) {
    const { promise, resolve } = openPromise();
    this.component = settings.component;
    this.settings = settings;
    this.seams = seams;
    this.end = promise as Promise<Drained>;
    this.settle = resolve as (drained: Drained) => void;
  }

  async run(): Promise<Drained> {
    const { component, settings } = this;
    const { clock, events } = this.seams;
    const { grace, within } = settings;
    // before anything is told: whoever asks now is not sent here any more
    if (component === undefined) holdReadiness("shutting down");
    const name = component ?? "process";
    if (!events.quiet) events.emit("shutdown.started", { withinMs: within }, { name, component: name });
    if (grace > 0) await clock.sleep(grace);
    this.closed = true;
    await this.idle(within - grace);
    this.settle({ finished: this.finished, cancelled: this.cancel() });
    return this.end;
  }

  left(): void {
    this.finished++;
    if (--this.awaited === 0) this.over?.();
  }

  /** Until the last call has ended, but no longer than this. */
  private idle(ms: number): Promise<void> {
    this.awaited = flying(this).length;
    if (this.awaited === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const undo = this.seams.clock.timer(ms, { expire: () => resolve() });
      this.over = () => {
        undo();
        resolve();
      };
    });
  }

  private cancel(): number {
    const { component } = this;
    const left = flying(this);
    for (const call of left as readonly (Linked & CallRecord)[]) {
      const reason = stackless(() => new ShuttingDownError(call.name, component, true));
      call.abandon({ reason, at: call.stack.seams.clock.monotonic(), wholeMs: 0 });
    }
    return left.length;
  }
}
