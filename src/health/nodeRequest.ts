// What came in, as a `Request`: by shape, so that nothing of Node is loaded where there is none.

/** An `IncomingMessage`, of node:http or node:http2, perhaps Express's. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly rawHeaders?: readonly string[] | undefined;
  readonly socket?: { readonly encrypted?: boolean | undefined } | undefined;
  /** Express's, which knows what its proxy may be believed. */
  readonly protocol?: string | undefined;
  readonly readableEnded?: boolean | undefined;
  readonly readableDidRead?: boolean | undefined;
  /** Without the end of the connection, when not all is read. */
  iterator?(options: { destroyOnReturn: boolean }): AsyncIterator<Uint8Array>;
  resume(): void;
}

/** Nothing that a handler could be asked. */
export class BadRequest extends Error {
  readonly problem: {
    readonly status: number;
    readonly title: string;
    readonly detail: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.problem = { status, title, detail, headers: { "content-type": "application/problem+json" } };
  }
}

/** Methods that `fetch` does not know. */
const unknown: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

export function requestOf(request: NodeRequest, body: IncomingBody, signal: AbortSignal): Request {
  const method = request.method ?? "GET";
  if (unknown.has(method)) throw new BadRequest(501, "Not Implemented", "This method is not known here.");
  const bare = method === "GET" || method === "HEAD";
  try {
    const init = { method, headers: headersOf(request), signal, ...(!bare && { body: body.stream(), duplex: "half" }) };
    return new Request(urlOf(request), init as RequestInit);
  } catch {
    throw new BadRequest(400, "Bad Request", "The address or a header of the request cannot be read.");
  }
}

function urlOf({ headers, url = "/", protocol, socket }: NodeRequest): string {
  if (/^https?:\/\//i.test(url)) return url; // as to a proxy
  const host = String(headers[":authority"] ?? headers.host ?? "localhost");
  // anything else would change what the path is
  if (!/^[\w.~-]+(?::\d+)?$|^\[[\da-f:.]+\](?::\d+)?$/i.test(host)) throw new TypeError("no host");
  const scheme = protocol === "http" || protocol === "https" ? protocol : socket?.encrypted ? "https" : "http";
  return `${scheme}://${host}${url.startsWith("/") ? "" : "/"}${url}`;
}

function headersOf({ headers, rawHeaders }: NodeRequest): Headers {
  const all = new Headers();
  const add = (name: string, value: string) => {
    if (!name.startsWith(":")) all.append(name, value); // HTTP/2's are no headers
  };
  if (rawHeaders !== undefined)
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) add(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  else
    for (const [name, value] of Object.entries(headers))
      for (const one of typeof value === "string" ? [value] : (value ?? [])) add(name, one);
  return all;
}

export class IncomingBody {
  private readonly request: NodeRequest;
  private chunks: AsyncIterator<Uint8Array> | undefined = undefined;
  private over = false;

  constructor(request: NodeRequest) {
    this.request = request;
  }

  /** Read when, and as fast as, somebody reads it. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (this.over)
            throw new TypeError(
              "The rest of this body is gone: it was read on when the request had been answered. Read it before.",
            );
          this.chunks ??= this.begin();
          const { done, value } = await this.chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => this.letGo(),
      },
      { highWaterMark: 0 },
    );
  }

  /** What was not read would stand in the way of the connection's next request. */
  async letGo(): Promise<void> {
    this.over = true;
    try {
      await this.chunks?.return?.();
    } catch {
      // the client has gone in the middle of it
    }
    if (this.request.readableEnded !== true) this.request.resume();
  }

  private begin(): AsyncIterator<Uint8Array> {
    const { request } = this;
    if (request.readableDidRead === true || request.readableEnded === true)
      throw new TypeError("The body of this request was read before: nodeHandler has to stand before what parses it.");
    return request.iterator?.({ destroyOnReturn: false }) ?? request[Symbol.asyncIterator]();
  }
}
