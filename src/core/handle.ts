// What a wrapper has beside being one, such as places by hand: read off what stands behind it.
import type { About } from "./bus.ts";
import type { Wrapper } from "./operation.ts";
import type { LiveSeams } from "./seams.ts";

const BEHIND = Symbol("holdfast.behind");

/** `handle`: one object for all wrappers of its kind, of which there may be thousands; its methods are bound when read, so that they can be destructured. */
export function withHandle<W extends Wrapper, H extends object>(wrapper: W, behind: unknown, handle: H): W & H {
  return Object.setPrototypeOf(Object.defineProperty(wrapper, BEHIND, { value: behind }), handle);
}

/** What was given when the handle was. */
export function behind<Behind>(handled: object): Behind {
  return (handled as { readonly [BEHIND]: Behind })[BEHIND];
}

/** Whose events they are that no call causes. */
export function aboutOf({ name }: LiveSeams, kind: string): About {
  const component = name ?? kind;
  return { name: component, component };
}
