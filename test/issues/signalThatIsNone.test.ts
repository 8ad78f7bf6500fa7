import { expect, it } from "vitest";
import { OptionsInvalidError, protect, settled } from "../../src/index.ts";

it("a signal that is no AbortSignal rejects the call, with its path, and calls nothing", async () => {
  let calls = 0;
  const call = protect("x", async () => ++calls, { retry: {} });
  const answered = await settled(call)(undefined, { signal: {} as AbortSignal });
  expect(answered).toMatchObject({ ok: false, error: { issues: [{ path: "signal" }] }, story: { state: "failed" } });
  expect((answered as { error: unknown }).error).toBeInstanceOf(OptionsInvalidError);
  expect(calls).toBe(0);
});
