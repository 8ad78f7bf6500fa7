// How a page or an example says what it prints: a line a line, with `…` for what differs from run to run.

export function lineLike(said: string): RegExp {
  const parts = said
    .trimEnd()
    .split("…")
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
