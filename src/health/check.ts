// A check, and one run of it at a time: with a limit of time that holds no process, and an end whatever the check does.
import { classifyValue } from "../core/classify.ts";
import { discard } from "../core/discard.ts";
import { spell } from "../core/duration.ts";
import { stackless, TimeoutError } from "../core/errors.ts";
import type { CallContext, Protected } from "../core/operation.ts";
import { LiveSeams, type Seams } from "../core/seams.ts";
import { armUnheld, disarm, Timed } from "../core/timers.ts";
import { protect } from "../protect.ts";
import type { Result } from "./gauge.ts";
import { PROBE } from "./registry.ts";
import { saidPoor, saidUnwell } from "./said.ts";
import { whatFailed } from "./words.ts";

export interface Found {
  readonly result: Result;
  readonly text: string;
  /** The same where it is clear that a check is spoken of. */
  readonly brief: string;
  readonly elapsedMs: number;
}

export interface CheckSettings {
  readonly kind: string;
  readonly every: number;
  readonly timeout: number;
  readonly slowAfter: number;
}

/** So many runs that go on though their time is over may be joined by one more. */
const mostHanging = 3;
/** Such a run is given up for lost after so many rounds: what never ends must not be the end of all looking. */
const lostAfter = 10;

export class Check {
  private readonly settings: CheckSettings;
  private readonly seams: LiveSeams;
  private readonly call: Protected<void, unknown>;
  private readonly name: string;
  private readonly labels: Readonly<Record<string, string>>;
  /** Of each run that has not truly ended: when it was begun, monotonic ms. */
  private readonly begun = new Set<{ readonly at: number }>();
  private controller: AbortController | undefined = undefined;

  constructor(
    name: string,
    check: (context: CallContext) => unknown,
    settings: CheckSettings,
    seams: Partial<Seams> | undefined,
  ) {
    this.name = name;
    this.settings = settings;
    this.seams = new LiveSeams(seams);
    this.labels = Object.freeze({ probe: settings.kind, [PROBE]: name });
    this.call = protect(name, (_: void, context) => this.begin(check, context), { seams });
  }

  /** Never rejects. */
  async run(): Promise<Found> {
    const { clock } = this.seams;
    const startedAt = clock.monotonic();
    const elapsed = () => clock.monotonic() - startedAt;
    const failed = (brief: string, text = `its check failed: ${brief}`): Found => {
      return { result: "unhealthy", text, brief, elapsedMs: elapsed() };
    };
    const hanging = this.hanging(startedAt);
    if (hanging >= mostHanging)
      return failed(`${hanging} runs of it have not ended`, `its check hangs: ${hanging} runs of it have not ended`);
    const { timeout, slowAfter } = this.settings;
    const controller = new AbortController();
    this.controller = controller;
    const limit = new Limit(startedAt, () => controller.abort(stackless(() => new TimeoutError(this.name, timeout))));
    armUnheld(clock, timeout, limit);
    let poor: string | undefined;
    try {
      const value = await this.call(undefined, { signal: controller.signal, labels: this.labels });
      const verdict = classifyValue(value);
      const said = saidUnwell(value);
      poor = saidPoor(value);
      discard(value, undefined);
      if (verdict !== undefined) return failed(whatFailed(value));
      if (said !== undefined) return failed(`it answered ${said}`);
    } catch (error) {
      if (!controller.signal.aborted) return failed(whatFailed(error));
      const late = `took longer than ${spell(timeout)}`;
      return failed(`it ${late}`, `its check ${late}`);
    } finally {
      disarm(limit);
      this.controller = undefined;
    }
    const elapsedMs = elapsed();
    if (poor !== undefined) {
      const brief = `it answered ${poor}`;
      return { result: "degraded", text: `its check says so: ${brief}`, brief, elapsedMs };
    }
    if (elapsedMs <= slowAfter) return { result: "healthy", text: "its check passed", brief: "it passed", elapsedMs };
    const slow = `right but slow (${spell(elapsedMs)})`;
    return { result: "degraded", text: `its check is ${slow}`, brief: slow, elapsedMs };
  }

  /** Ends the run that is on its way. */
  end(): void {
    this.controller?.abort(new DOMException("The probe was stopped.", "AbortError"));
  }

  private async begin(check: (context: CallContext) => unknown, context: CallContext): Promise<unknown> {
    const run = { at: this.seams.clock.monotonic() };
    this.begun.add(run);
    try {
      return await check(context);
    } finally {
      this.begun.delete(run);
    }
  }

  private hanging(now: number): number {
    for (const run of this.begun) if (now - run.at > lostAfter * this.settings.every) this.begun.delete(run);
    return this.begun.size;
  }
}

class Limit extends Timed {
  private readonly act: () => void;
  constructor(startedAt: number, act: () => void) {
    super(startedAt);
    this.act = act;
  }
  expire(): void {
    this.act();
  }
}
