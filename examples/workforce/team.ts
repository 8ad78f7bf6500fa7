// The team as calls that do not break, and the same team as bare calls.
import { type Protected, protect } from "holdfast";
import { ask, askBare, type Model } from "./ask.ts";
import type { Document } from "./documents.ts";
import {
  type Brief,
  type Draft,
  editor,
  factChecker,
  type Notes,
  type Part,
  researcher,
  type Verdict,
  type Worker,
  writer,
} from "./workers.ts";

export interface Team {
  readonly research: Protected<Part, Notes>;
  readonly write: Protected<{ readonly document: Document; readonly notes: Notes }, Brief>;
  readonly checkFacts: Protected<Draft, Verdict>;
  readonly edit: Protected<Draft & { readonly verdict: Verdict }, Brief>;
}

/** Each worker has a favourite among the models, so that all of them are in use; the others stand by. */
export function protectedTeam(locals: readonly Model[], service: Model | undefined): Team {
  // a policy a provider: what one worker learns of its health, all know
  const provider = (model: Model, timeout: "1500ms" | "30s") => ({
    model,
    policy: protect.with(model.name, {
      timeout,
      retry: { attempts: 2, base: "50ms" },
      breaker: { consecutiveFailures: 3, breakTime: "500ms", maxBreakTime: "1s" },
    }),
  });
  const providers = locals.map((model) => provider(model, "1500ms"));
  const first = service ? [provider(service, "30s")] : [];

  function hire<I extends { readonly document: Document }, O>(
    worker: Worker<I, O>,
    favourite: number,
  ): Protected<I, O> {
    const [operation, ...fallback] = [...first, ...rotated(providers, favourite)].map(({ model, policy }) => ({
      name: model.name,
      operation: policy(worker.name, ask(model, worker)),
    }));
    return protect(worker.name, operation!.operation, { deadline: "1m", fallback });
  }
  return {
    research: hire(researcher, 0),
    write: hire(writer, 1),
    checkFacts: hire(factChecker, 2),
    edit: hire(editor, 0),
  };
}

export function bareTeam(locals: readonly Model[], service: Model | undefined): Team {
  const model = (favourite: number) => service ?? (locals[favourite] as Model);
  return {
    research: askBare(model(0), researcher),
    write: askBare(model(1), writer),
    checkFacts: askBare(model(2), factChecker),
    edit: askBare(model(0), editor),
  };
}

/** The same team; each call is told when it has ended. */
export function watched(team: Team, ended: (document: Document, elapsedMs: number) => void): Team {
  const watch =
    <I extends { readonly document: Document }, O>(call: Protected<I, O>): Protected<I, O> =>
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

function rotated<T>(items: readonly T[], by: number): T[] {
  return [...items.slice(by), ...items.slice(0, by)];
}
