// The body of a Response, or a web stream: own properties lead whoever reads to a stream of ours, laid over the source.
import { BodyEnd } from "./bodyEnd.ts";
import type { ResponseLike } from "./streams.ts";

type Source = ReadableStream<unknown>;
type Cancel = (this: object, reason?: unknown) => Promise<void>;

const readers = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;
const whatTwinsShare = ["ok", "redirected", "status", "statusText", "type", "url"] as const;

/**
 * The body of a response whose body is a web stream. The response stays the object it is; what reads its internal slots
 * (a runtime's cache, say) passes this by, and then its collection is the end.
 */
export function responseBody(response: ResponseLike, source: Source): BodyEnd {
  const body = new WebBody(source);
  const native = Object.getPrototypeOf(response) as object;
  let laid: Response | undefined;
  const opened = () => {
    if (laid !== undefined) return laid;
    const stream = body.open(source);
    laid = new Response(stream, { headers: response.headers as Headers, ...validStatus(response as Response) });
    // from here on whoever holds the stream reads on without the response
    body.watch(stream);
    return laid;
  };
  lay(response, {
    body: { get: () => opened().body },
    bodyUsed: { get: () => laid?.bodyUsed ?? Reflect.get(native, "bodyUsed", response) },
    clone: method(() => twin(opened(), response as Response)),
  });
  for (const name of readers) if (name in response) lay(response, { [name]: method(async () => opened()[name]()) });
  body.watch(response);
  return body;
}

/**
 * A web stream that is itself what was delivered. What reads its internal slots (`new Response(stream)`) passes this by,
 * and then its collection is the end.
 */
export function streamBody(source: Source): BodyEnd {
  const body = new WebBody(source);
  const native = Object.getPrototypeOf(source) as object;
  let laid: Source | undefined;
  const opened = () => {
    laid ??= body.open(source);
    return laid;
  };
  const values = method((options?: ReadableStreamIteratorOptions) => opened().values(options));
  lay(source, {
    locked: { get: () => laid?.locked ?? Reflect.get(native, "locked", source) },
    cancel: method(async (reason?: unknown) => opened().cancel(reason)),
    getReader: method((options?: ReadableStreamGetReaderOptions) => opened().getReader(options as undefined)),
    pipeThrough: method((pair: ReadableWritablePair, options?: StreamPipeOptions) =>
      opened().pipeThrough(pair, options),
    ),
    pipeTo: method(async (to: WritableStream, options?: StreamPipeOptions) => opened().pipeTo(to, options)),
    tee: method(() => opened().tee()),
    values,
    [Symbol.asyncIterator]: values,
  });
  body.watch(source);
  return body;
}

/** Holds nothing but weakly of what whoever reads holds: else what nobody can reach would never be collected. */
class WebBody extends BodyEnd {
  private feeds: WeakRef<object>;
  private cancel: Cancel;
  private readonly getReader: Source["getReader"];
  private controller: WeakRef<ReadableStreamController<unknown>> | undefined;
  private cutBy: { readonly reason: unknown } | undefined;

  constructor(source: Source) {
    super();
    this.feeds = new WeakRef(source);
    // as they are before anything is laid over them
    this.cancel = source.cancel as Cancel;
    this.getReader = source.getReader;
  }

  cut(reason: unknown): void {
    if (this.ended) return;
    this.cutBy = { reason };
    this.controller?.deref()?.error(reason);
    this.stop(reason);
  }

  stop(reason?: unknown): void {
    const feeds = this.feeds.deref();
    if (feeds !== undefined) quietly(() => this.cancel.call(feeds, reason));
    this.end();
  }

  /** A stream that pulls from the source only when it is read, and keeps nothing. */
  open(source: Source): Source {
    const { cutBy } = this;
    if (cutBy !== undefined)
      return new ReadableStream({ type: "bytes", start: (controller) => controller.error(cutBy.reason) });
    const bytes = givesBytes(source, this.getReader);
    const reader = this.getReader.call(source) as ReadableStreamDefaultReader<unknown>;
    this.feeds = new WeakRef(reader);
    this.cancel = reader.cancel as Cancel;
    const end = () => this.end();
    reader.closed.then(end, end);
    const over: UnderlyingSource<unknown> = {
      start: (controller) => {
        this.controller = new WeakRef(controller);
      },
      pull: async (controller) => {
        // an error of the source passes through as it is
        const { done, value } = await reader.read();
        // our own cancel of the source looks like its end
        if (this.cutBy !== undefined) return;
        if (!done) return controller.enqueue(value as never);
        controller.close();
        // a read into the reader's own buffer ends only with an answer
        if (bytes) (controller as ReadableByteStreamController).byobRequest?.respond(0);
      },
      cancel: (reason) => {
        this.end();
        return reader.cancel(reason);
      },
    };
    return new ReadableStream(bytes ? { ...over, type: "bytes" } : over, { highWaterMark: 0 });
  }
}

/** Whether it can be read into the reader's own buffers. */
function givesBytes(source: Source, getReader: Source["getReader"]): boolean {
  try {
    getReader.call(source, { mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** A clone, as those of the response are; the source has ended when either has been read to its end. */
function twin(of: Response, like: Response): Response {
  const copy = Response.prototype.clone.call(of);
  for (const name of whatTwinsShare) lay(copy, { [name]: { value: like[name] } });
  lay(copy, { clone: method(() => twin(copy, like)) });
  return copy;
}

/** Servers send statuses that the constructor refuses. */
function validStatus({ status, statusText }: Response): ResponseInit {
  return status >= 200 && status <= 599 ? { status, statusText } : {};
}

function lay(over: object, properties: PropertyDescriptorMap): void {
  for (const property of Reflect.ownKeys(properties))
    Object.defineProperty(over, property, { ...properties[property as string], configurable: true });
}

function method(value: Function): PropertyDescriptor {
  return { value, writable: true };
}

async function quietly(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // it is locked by who passes us by, or broke in closing: nobody waits for it
  }
}
