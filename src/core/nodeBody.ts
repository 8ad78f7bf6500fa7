// The body that one of Node's streams is, or that a response in the manner of node-fetch has.
import { BodyEnd } from "./bodyEnd.ts";
import type { NodeStream } from "./streams.ts";

const readers = ["arrayBuffer", "blob", "buffer", "formData", "json", "text"] as const;

/** The body that a stream is. */
export function nodeBody(stream: NodeStream): BodyEnd {
  return new NodeBody(stream);
}

/** The body of a response that wraps what its stream says: after a cut its readers too reject with the reason. Clones are not followed. */
export function nodeResponseBody(response: object, stream: NodeStream): BodyEnd {
  const body = new NodeBody(stream);
  for (const name of readers) {
    const native = Reflect.get(response, name) as unknown;
    if (typeof native !== "function") continue;
    const value = async () => {
      try {
        return await Reflect.apply(native, response, []);
      } catch (error) {
        throw body.cutBy === undefined ? error : body.cutBy.reason;
      }
    };
    Object.defineProperty(response, name, { value, writable: true, configurable: true });
  }
  return body;
}

class NodeBody extends BodyEnd {
  cutBy: { readonly reason: unknown } | undefined;
  private readonly stream: WeakRef<NodeStream>;
  private readonly events: readonly (string | symbol)[];
  private readonly heard = () => this.end();

  constructor(stream: NodeStream) {
    super();
    this.stream = new WeakRef(stream);
    // a listener of "error" itself would swallow what the user should see
    const { errorMonitor } = stream.constructor as { readonly errorMonitor?: symbol };
    this.events = errorMonitor === undefined ? ["end", "close"] : ["end", "close", errorMonitor];
    for (const event of this.events) stream.on(event, this.heard);
    this.watch(stream);
  }

  override end(): void {
    const stream = this.stream.deref();
    if (stream !== undefined) for (const event of this.events) stream.removeListener(event, this.heard);
    super.end();
  }

  cut(reason: unknown): void {
    if (this.ended) return;
    this.cutBy = { reason };
    const stream = this.stream.deref();
    if (stream !== undefined && stream.destroyed !== true) destroy(stream, reason);
    this.end();
  }

  stop(): void {
    this.end();
  }
}

/** An error of ours must not end the process of a user who listens for none, on the stream or on the request it answers. */
function destroy(stream: NodeStream, reason: unknown): void {
  for (const emitter of [stream, stream.req]) {
    if (typeof emitter?.once !== "function") continue;
    emitter.once("error", nothing);
    emitter.once("close", () => emitter.removeListener("error", nothing));
  }
  stream.destroy(reason instanceof Error ? reason : new Error("The body was cut.", { cause: reason }));
}

function nothing(): void {}
