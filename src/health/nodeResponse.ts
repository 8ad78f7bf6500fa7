// A `Response`, sent as Node sends one: no faster than the client takes it.

type HeaderValue = number | string | readonly string[];

/** A `ServerResponse`, of node:http or node:http2, perhaps Express's. */
export interface NodeResponse {
  statusCode: number;
  sendDate: boolean;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly destroyed?: boolean | undefined;
  /** HTTP/2's. */
  readonly stream?: { readonly destroyed: boolean; close(code: number): void } | undefined;
  getHeaders(): Readonly<Record<string, HeaderValue | undefined>>;
  setHeader(name: string, value: HeaderValue): unknown;
  removeHeader(name: string): unknown;
  flushHeaders?(): void;
  write(chunk: Uint8Array): boolean;
  end(chunk?: string): unknown;
  destroy(): void;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** NGHTTP2_INTERNAL_ERROR */
const internalError = 2;

/** What has begun is not to be taken for a whole answer. */
export function cut(response: NodeResponse): void {
  // on HTTP/2 `destroy()` would end the stream as a good end does
  if (response.stream === undefined) response.destroy();
  else response.stream.close(internalError);
}

/** On HTTP/2 what was cut off is finished as well, though nobody has ended it. */
export function isWhole({ writableEnded, writableFinished }: NodeResponse): boolean {
  return writableEnded && writableFinished;
}

function isGone({ destroyed, stream }: NodeResponse): boolean {
  return destroyed === true || stream?.destroyed === true;
}

export async function send(answer: Response, response: NodeResponse, headOnly: boolean): Promise<void> {
  const { status, headers } = answer;
  if (!(status >= 200 && status <= 599)) throw new TypeError("The handler gave no response that can be sent.");
  const { body } = answer;
  const reader = headOnly ? undefined : body?.getReader(); // throws where it was read already
  const { sendDate } = response;
  const before = response.getHeaders();
  try {
    response.statusCode = status;
    setHeaders(headers, response);
    if (reader === undefined) response.end();
    else await pump(reader, response);
  } catch (error) {
    if (!response.headersSent) {
      restoreHeaders(before, response);
      response.sendDate = sendDate; // which the removal of a date ends
    }
    throw error;
  }
  if (reader === undefined) await body?.cancel();
}

function setHeaders(headers: Headers, response: NodeResponse): void {
  // `forEach`, whose types need no more than the plainest `lib`
  headers.forEach((value, name) => {
    if (name !== "set-cookie") response.setHeader(name, value);
  });
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
}

/** What is said of an answer that failed (its length, how long it may be kept, its cookies) is not true of the error. */
function restoreHeaders(before: ReturnType<NodeResponse["getHeaders"]>, response: NodeResponse): void {
  for (const [name, value] of Object.entries(response.getHeaders())) {
    const was = before[name];
    if (was === undefined) response.removeHeader(name);
    else if (was !== value) response.setHeader(name, was);
  }
}

async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, response: NodeResponse): Promise<void> {
  // the source is closed, and a read that is on its way ends
  const gone = () => void reader.cancel(new DOMException("The client has gone away.", "AbortError")).catch(nothing);
  response.on("close", gone);
  // the head goes with the first part of the body, but does not wait for one that takes its time
  const head = setTimeout(() => response.flushHeaders?.(), 0);
  try {
    if (isGone(response)) gone();
    for (let read = await reader.read(); !read.done; read = await reader.read())
      if (!response.write(read.value)) await drained(response);
    response.off("close", gone);
    response.end();
  } catch (error) {
    response.off("close", gone);
    gone();
    throw error;
  } finally {
    clearTimeout(head);
  }
}

/** Or closed: then nothing more is taken. */
function drained(response: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
    if (isGone(response)) done();
  });
}

function nothing(): void {}
