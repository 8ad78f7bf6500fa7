// The queue of a running process, over its socket.
import { connect } from "node:net";
import type { Desk } from "./desk.ts";
import { type Answer, anew, receive, send } from "./wire.ts";

export async function socketDesk(path: string): Promise<Desk> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const open = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let asked = 0;
  let isClosed = false;
  receive(socket, (message) => {
    const answer = message as Answer;
    const waiting = open.get(answer.no);
    open.delete(answer.no);
    if ("failed" in answer) waiting?.reject(anew(answer.failed));
    else waiting?.resolve(answer.gave);
  });
  socket.on("error", () => {}); // "close" follows
  socket.on("close", () => {
    isClosed = true;
    for (const { reject } of open.values()) reject(gone());
    open.clear();
  });

  function gone(): Error {
    return new Error(`The process that opened ${path} has ended, or has closed it.`);
  }

  function ask<T>(what: string, ...given: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (isClosed) return reject(gone());
      const no = ++asked;
      open.set(no, { resolve: resolve as (value: unknown) => void, reject });
      send(socket, { no, ask: what, given });
    });
  }

  return {
    next: "The process has it.",
    pending: () => ask("pending"),
    claim: (id, by) => ask("claim", id, by),
    release: (id, by) => ask("release", id, by),
    decide: (id, decision, by) => ask("decide", id, decision, by),
    revoke: (id, by) => ask("revoke", id, by),
    close: () => void socket.end(),
  };
}
