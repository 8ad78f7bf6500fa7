// How a handler says that a request is not its own, so that what stands behind it may answer.

const passed = new WeakSet<object>();

export function passedOn(response: Response): Response {
  passed.add(response);
  return response;
}

export function isPassedOn(response: unknown): boolean {
  return typeof response === "object" && response !== null && passed.has(response);
}
