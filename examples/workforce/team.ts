// The team as calls that do not break, and the same team as bare calls.
import { type Classify, FallbackExhaustedError, type PolicyOptions, type Protected, prices, protect } from "holdfast";
import { ask, askBare, type Model } from "./ask.ts";
import type { Document } from "./documents.ts";
import type { Brief, Draft, Notes, Part, Verdict, Worker } from "./workers.ts";
import * as workers from "./workers.ts";

type About<T = object> = T & { readonly document: Document };

export interface Team {
  readonly research: Protected<Part, Notes>;
  readonly write: Protected<About<{ readonly notes: Notes }>, Brief>;
  readonly checkFacts: Protected<Draft, Verdict>;
  readonly edit: Protected<Draft & { readonly verdict: Verdict }, Brief>;
}

/** What holds for one provider where there are others: who was too slow once is not asked twice. */
const oneOfSeveral: PolicyOptions = {
  timeout: "1s",
  retry: { attempts: 2, base: "50ms", when: (_, verdict) => verdict?.retry === true && verdict.kind !== "timeout" },
  breaker: { consecutiveFailures: 2, breakTime: "250ms", maxBreakTime: "500ms" },
};

/** Money per million tokens; gamma's is not known, so what it serves is unpriced. */
prices.set("alpha-20*", { input: 2.5, output: 10 });
prices.set("beta-20*", { input: 0.15, output: 0.6 });

/** What an answer may cost at most. */
const benchmark = { bytes: 100_000, money: 0.25 };

/** What is wrong with all of them now may be right later, unless it is the question. */
const laterPerhaps: Classify = (seen, standard) => {
  const verdict = standard(seen);
  const refusals =
    seen instanceof FallbackExhaustedError ? seen.failures.filter(({ kind }) => kind === "contentFiltered").length : 0;
  // one alone may be out of order
  return verdict && { ...verdict, retry: refusals < 2 && (verdict.retry || worthLater.has(verdict.kind)) };
};
const worthLater = new Set([
  "network",
  "timeout",
  "transient",
  "overloaded",
  "rateLimited",
  "notAdmitted",
  "quality",
  "contentFiltered",
  "unknown",
]);

/** Each worker has a favourite among the providers, so that all are in use; the others stand by. A service, where there is one, goes before them. */
export function protectedTeam(models: readonly Model[], service: Model | undefined): Team {
  // a policy a provider: what one worker learns of its health, all know
  const providers = models.map((model) => ({ model, policy: protect.with(model.name, oneOfSeveral) }));
  const first = service && { model: service, policy: protect.with(service.name, { ...oneOfSeveral, timeout: "30s" }) };

  function hire<I extends About, O>(worker: Worker<I, O>, favourite: number): Protected<I, O> {
    const order = [...(first ? [first] : []), ...providers.slice(favourite), ...providers.slice(0, favourite)];
    const [asked, ...others] = order.map(({ model, policy }) => {
      const operation = ask(model, worker);
      return policy(model.name, operation, {
        output: worker.answer,
        gate: { repair: ["json"], checks: worker.checks, benchmark },
      });
    });
    if (asked === undefined) throw new Error("There is no model to ask.");
    const anyone = protect(worker.name, asked, { deadline: "1m", fallback: others });
    // What all have given up is final for a retry around them: the job comes back a little later with a call of its
    // own, so it hands on when to stop and whose it is, not the context.
    return protect(
      `patient ${worker.name}`,
      (input: I, { signal, deadlineAt, labels }) => anyone(input, { signal, deadlineAt, labels }),
      { retry: { attempts: 10, backoff: "constant", base: "500ms", jitter: "none" }, classify: laterPerhaps },
    );
  }

  return {
    research: hire(workers.researcher, 0),
    write: hire(workers.writer, 1),
    checkFacts: hire(workers.factChecker, 2),
    edit: hire(workers.editor, 0),
  };
}

export function bareTeam(models: readonly Model[], service: Model | undefined): Team {
  const favourite = (at: number) => service ?? (models[at] as Model);
  return {
    research: askBare(favourite(0), workers.researcher),
    write: askBare(favourite(1), workers.writer),
    checkFacts: askBare(favourite(2), workers.factChecker),
    edit: askBare(favourite(0), workers.editor),
  };
}

/** The same team; each call is told when it has ended. */
export function watched(team: Team, ended: (document: Document, elapsedMs: number) => void): Team {
  const watch =
    <I extends About, O>(call: Protected<I, O>): Protected<I, O> =>
    async (input, options) => {
      const began = performance.now();
      try {
        return await call(input, options);
      } finally {
        ended(input.document, performance.now() - began);
      }
    };
  return {
    research: watch(team.research),
    write: watch(team.write),
    checkFacts: watch(team.checkFacts),
    edit: watch(team.edit),
  };
}
