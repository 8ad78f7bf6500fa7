// How loud each event is told: a call that recovers is one warning, one that fails is one error, and all on the way is quiet.
import type { AnyEvent, Severity } from "../core/events.ts";
import type { StoryState } from "../core/story.ts";
import type { Finding } from "../core/verdict.ts";

type Level = "info" | "warn" | "error";

/** What an event is logged as. */
export interface Heard {
  readonly level: Level;
  /** Of the end of a call in which something went wrong: what went wrong last. */
  readonly trouble?: Trouble | undefined;
}

interface Trouble {
  readonly error?: unknown;
  /** Of a refused input; the error's own words show what was given. */
  readonly issues?: readonly Finding[] | undefined;
}

/** What happens on the way of a call: how the call ends says how much it mattered. */
const onTheWay =
  /^(?:call\.started|attempt|retry|fallback|input|output|cache|deadline|bulkhead\.(?:queued|refused)|breaker\.(?:refused|ignored))(?:\.|$)/;

const bySeverity: Readonly<Record<Severity, Level>> = { info: "info", warning: "warn", critical: "error" };

const byState: Readonly<Record<StoryState, Level>> = {
  succeeded: "info",
  degraded: "warn",
  flagged: "warn",
  rejected: "warn",
  // what refused it has been told once, when it opened or filled up
  notAdmitted: "warn",
  timedOut: "error",
  cancelled: "info",
  failed: "error",
};

/** Follows the calls that are under way; of those inside others only the outermost is loud. */
export class Course {
  /** Those under way, with the call around. */
  private readonly open = new Map<string, string | undefined>();
  /** What went wrong last in each of them. */
  private readonly troubles = new Map<string, Trouble>();

  hear(event: AnyEvent): Heard {
    const { call } = event;
    if (event.type === "call.settled" && call !== undefined) return this.end(call, event.state);
    if (event.type === "call.started" && call !== undefined) this.open.set(call, event.parent);
    if (event.type === "attempt.failed") this.trouble(call, { error: event.error });
    if (event.type === "input.rejected") this.trouble(call, { issues: event.issues });
    if (event.type === "retry.scheduled" || event.type === "fallback.used")
      this.trouble(call, this.troubles.get(call ?? ""));
    return { level: this.level(event) };
  }

  private level(event: AnyEvent): Level {
    if (onTheWay.test(event.type)) return "info";
    // seen, but nobody was refused for it
    if (event.type === "breaker.opened" && !event.enforced) return "warn";
    return bySeverity[event.severity] ?? "info";
  }

  private trouble(call: string | undefined, what: Trouble = {}): void {
    // a call of which the start was not heard is not followed: nothing would end it here
    if (call !== undefined && this.open.has(call)) this.troubles.set(call, what);
  }

  private end(call: string, state: StoryState): Heard {
    const parent = this.open.get(call);
    const trouble = this.troubles.get(call);
    this.open.delete(call);
    this.troubles.delete(call);
    const level = state === "succeeded" && trouble !== undefined ? "warn" : byState[state];
    if (parent === undefined || !this.open.has(parent)) return { level, trouble };
    if (level !== "info") this.trouble(parent, trouble);
    return { level: "info" };
  }
}
