// What can be read once only, and so cannot be given to several.
import { isRequestWithBody, isResponse, isStream } from "../../core/streams.ts";

/** So many properties of an answer are looked at, of whatever level. */
const most = 100;
/** What it holds, and what that holds; a list is no level of its own. */
const levels = 2;
/** Without one of these no plain object is a response, a stream of either kind or an iterator. */
const telling: ReadonlySet<string> = new Set(["text", "getReader", "pipe", "next"]);

interface Found {
  readonly what: string;
  /** It, or what holds it. */
  readonly part: object;
  /** Where it stands in the answer; empty: it is the answer. */
  readonly path: string;
}

type Held = Readonly<Record<string, unknown>>;

/** What the last answer had at one place, all of it data: to ask each property whether it is costs as much as all the rest. */
class Likened {
  names: readonly string[] = [];
  /** By its names it may be what can be read once only itself. */
  tells = true;
  /** Of what these hold. */
  private within: (Likened | undefined)[] = [];

  set(names: readonly string[]): void {
    this.names = names;
    this.tells = names.length === 0 || names.some((name) => telling.has(name));
    this.within = [];
  }

  /** Of a list all items have the first. */
  inside(i: number): Likened {
    this.within[i] ??= new Likened();
    return this.within[i];
  }
}

/** For the answers of one cache. */
export class OnceOnly {
  private readonly likened = new Likened();
  /** So many properties of the answer at hand may still be looked at. */
  private left = most;

  /** What it is or holds, in a property or a list, where that is of such a kind. */
  find(value: unknown): Found | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    this.left = most;
    try {
      if (Array.isArray(value)) return this.inList(value, this.likened, levels);
      return streamIn(value, "", true) ?? this.inObject(value as Held, Object.keys(value), this.likened, levels);
    } catch {
      return undefined; // a proxy that throws says nothing
    }
  }

  private inList(list: readonly unknown[], likened: Likened, deep: number): Found | undefined {
    const count = this.take(list.length);
    for (let i = 0; i < count; i++) {
      const held = list[i];
      if (typeof held !== "object" || held === null) continue;
      const found = this.inPart(held, String(i), likened.inside(0), Array.isArray(held) ? deep - 1 : deep, false);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private inObject(value: Held, names: readonly string[], likened: Likened, deep: number): Found | undefined {
    if (ArrayBuffer.isView(value)) return undefined;
    const { left } = this;
    if (areSame(names, likened.names)) {
      try {
        return this.inData(value, names, likened, deep);
      } catch {
        likened.set([]); // a getter after all, and it throws: from here on it is not asked
        this.left = left;
      }
    }
    return this.inUnknown(value, names, likened, deep);
  }

  private inData(value: Held, names: readonly string[], likened: Likened, deep: number): Found | undefined {
    const count = this.take(names.length);
    for (let i = 0; i < count; i++) {
      const name = names[i] as string;
      const held = value[name];
      if (typeof held !== "object" || held === null) continue;
      const found = this.inPart(held, name, likened.inside(i), deep - 1, deep === levels);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A getter may begin to read. */
  private inUnknown(value: Held, names: readonly string[], likened: Likened, deep: number): Found | undefined {
    const count = this.take(names.length);
    likened.set(names);
    let isData = count === names.length;
    for (let i = 0; i < count; i++) {
      const name = names[i] as string;
      const own = Object.getOwnPropertyDescriptor(value, name);
      const held: unknown = own?.value;
      if (own?.get !== undefined) isData = false;
      if (typeof held !== "object" || held === null) continue;
      const found = this.inPart(held, name, likened.inside(i), deep - 1, deep === levels);
      if (found !== undefined) return found;
    }
    if (!isData) likened.set([]);
    return undefined;
  }

  /** `deep`: so many levels further may be looked into. */
  private inPart(held: object, path: string, likened: Likened, deep: number, isNear: boolean): Found | undefined {
    let found: Found | undefined;
    if (Array.isArray(held)) found = deep < 0 ? undefined : this.inList(held, likened, deep);
    else if (!isPlain(held)) return streamIn(held, path, isNear);
    else {
      const names = Object.keys(held);
      const isKnown = !likened.tells && areSame(names, likened.names) && !(Symbol.asyncIterator in held);
      if (!isKnown) {
        const itself = streamIn(held, path, isNear);
        if (itself !== undefined) return itself;
      }
      if (deep > 0) found = this.inObject(held as Held, names, likened, deep);
      else if (!isKnown) likened.set(names);
    }
    return found === undefined ? undefined : { ...found, path: `${path}.${found.path}` };
  }

  /** What is nearer to the top goes first: that is where clients put streams. */
  private take(wanted: number): number {
    const count = Math.min(wanted, this.left);
    this.left -= count;
    return count;
  }
}

/** What is of a class may hold what is no part of the answer, such as the connection by which it came. */
function isPlain(value: object): boolean {
  const of: unknown = Object.getPrototypeOf(value);
  return of === Object.prototype || of === null;
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `byNext`: whatever has a `next` is an iterator; deeper in that may be the next page's. */
function streamIn(value: object, path: string, byNext: boolean): Found | undefined {
  if (isResponse(value)) return { what: "a Response", part: value, path };
  if (isRequestWithBody(value)) return { what: "a Request", part: value, path };
  if (isStream(value)) return { what: "a stream", part: value, path };
  if (typeof (value as { next?: unknown }).next !== "function") return undefined;
  return byNext || Symbol.iterator in value ? { what: "an iterator", part: value, path } : undefined;
}
