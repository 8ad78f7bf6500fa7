// A service that behaves as a simulation says.
import type { CallContext, Operation } from "../../core/operation.ts";
import { type Service, stage } from "./stage.ts";

export interface SimulatedOptions<I, O> {
  /** What it is called in a script's account; the function's name, else "service". */
  name?: string | undefined;
  /** What it gives when it lies: an answer that no check may let through; by default a body that tells of an error. */
  lie?: ((input: I) => O | unknown) | undefined;
}

/**
 * Stands in the place of a service, for `simulate`: it answers, is slow, fails, hangs, lies or answers late, as the
 * simulation says. It may be the operation of a call, a tier, or anything that such an operation calls; a signal in its
 * second argument reaches it, as it does `fetch`. Outside a simulation it is always well.
 * @param answer what it gives when it is well
 * @example
 * const user = protect("user", simulated((id: string) => ({ id })), { retry: {}, timeout: "2s" });
 * console.log(await user("ada")); // → { id: 'ada' }
 */
export function simulated<I = void, O = unknown>(
  answer: (input: I) => O | Promise<O>,
  options: SimulatedOptions<I, O> = {},
): Operation<I, O> {
  const { name = answer.name || "service", lie = lies } = options;
  const service: Service = { name, give: answer, lie };
  const operation = (input: I, context?: CallContext): Promise<O> => {
    const { player } = stage;
    return player === undefined ? well(answer, input) : (player.serve(service, input, context) as Promise<O>);
  };
  return operation;
}

async function well<I, O>(answer: (input: I) => O | Promise<O>, input: I): Promise<O> {
  return answer(input);
}

function lies(): unknown {
  return { error: { type: "server_error", message: "failed, with status 200" } };
}
