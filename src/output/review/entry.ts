// One refused output that waits for a person, and what is known of it.
import type { About } from "../../core/bus.ts";
import type { LiveSeams } from "../../core/seams.ts";
import { armUnheld, Timed } from "../../core/timers.ts";
import type { Finding } from "../../core/verdict.ts";
import { copyOf } from "./copy.ts";
import type { Form } from "./form.ts";

/** A refused output that waits for a person's verdict. */
export interface Review {
  readonly id: string;
  /** Of the call. */
  readonly name: string;
  readonly component: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As the operation got it, or the caller gave it where a guard has secrets, whose values are not in it. */
  readonly input: unknown;
  /** What is delivered when it is approved: as the schema made it, where only checks, judge or benchmark refused it. */
  readonly output: unknown;
  readonly findings: readonly Finding[];
  /** Whether it has the form that the schema asks for: what has not can only be amended or rejected. `undefined`: the schema has not been asked. */
  readonly fits: boolean | undefined;
  /** When it was kept, and when it expires; epoch ms. */
  readonly at: number;
  readonly expiresAt: number;
  /** Who is looking at it, and until when that holds others off; epoch ms. */
  readonly claimed?: { readonly by: string; readonly until: number } | undefined;
}

/** A person's verdict; it holds for exactly the output that was shown. */
export type Decision =
  | { readonly verdict: "approve" }
  | { readonly verdict: "amend"; readonly output: unknown }
  | { readonly verdict: "reject"; readonly reason: string };

/** What came of a verdict: what is delivered, or why nothing is. */
export type Released = { readonly value: unknown } | { readonly reason: string };

/** A call that waits for the verdict. */
export interface Waiter {
  /** `otherwise`: what is done with it when the call turns out not to wait any more. */
  decided(released: Released, otherwise: () => void): void;
  expired(): void;
}

export interface Facts extends Omit<Review, "claimed"> {
  /** The story's id. */
  readonly call: string | undefined;
}

/** `setTimeout` counts no further. */
const longest = 2 ** 31 - 1;

export class Entry extends Timed {
  readonly facts: Facts;
  readonly seams: LiveSeams;
  /** `undefined`: not known here. */
  readonly form: Form | undefined;
  /** How much of the form `facts.output` has behind it. */
  readonly passed: number;
  waiter: Waiter | undefined;
  claimed: Review["claimed"];
  /** A verdict is being looked at. */
  deciding = false;
  private readonly overdue: (entry: Entry) => void;

  constructor(facts: Facts, seams: LiveSeams, form: Form | undefined, passed: number, overdue: (entry: Entry) => void) {
    super(seams.clock.monotonic());
    this.facts = facts;
    this.seams = seams;
    this.form = form;
    this.passed = passed;
    this.overdue = overdue;
  }

  /** Whose the events are that tell of it. */
  get about(): About {
    const { name, component, call, labels } = this.facts;
    return { name, component, call, labels, stack: this } as About;
  }

  get isOver(): boolean {
    return this.seams.clock.now() >= this.facts.expiresAt;
  }

  /** Who is looking at it now. */
  get claimedBy(): string | undefined {
    const { claimed } = this;
    return claimed !== undefined && this.seams.clock.now() < claimed.until ? claimed.by : undefined;
  }

  watch(): void {
    const { clock } = this.seams;
    armUnheld(clock, Math.min(longest, Math.max(0, this.facts.expiresAt - clock.now())), this);
  }

  expire(): void {
    if (this.isOver) this.overdue(this);
    else this.watch();
  }

  /** A copy for each who asks: what one does to it, no other sees. */
  review(): Review {
    const { call: _, ...facts } = this.facts;
    const { claimed, claimedBy } = this;
    return {
      ...facts,
      input: copyOf(facts.input)?.value,
      output: copyOf(facts.output)?.value,
      findings: copyOf(facts.findings)?.value as Review["findings"],
      ...(claimedBy !== undefined && { claimed }),
    };
  }
}
