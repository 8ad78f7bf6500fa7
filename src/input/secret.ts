// Values that are shown nowhere.
import type { Issue } from "../core/validate.ts";
import type { Finding } from "../core/verdict.ts";

/** A finding without its value, where the path is secret, or stands above or below one that is. */
export function veiled(finding: Finding, secret: readonly string[], issue?: Issue): Finding {
  const { path = "" } = finding;
  const hidden = secret.some(
    (one) => path === one || path.startsWith(`${one}.`) || one.startsWith(`${path}.`) || path === "",
  );
  if (!hidden) return finding;
  const wanted = issue === undefined ? finding.wanted : unsaid(finding, issue);
  return { ...finding, wanted, ...("got" in finding && { got: "[secret]" }) };
}

/** Messages of some vendors repeat the value ("… but received 4711"): of those only what was expected is told. */
function unsaid({ got, wanted }: Finding, issue: Issue): string {
  const { code, expected } = issue as { readonly code?: unknown; readonly expected?: unknown };
  const fromZod = typeof code === "string" && !("requirement" in issue) && !("data" in issue);
  const repeats = typeof got !== "object" && got !== undefined && got !== "" && wanted.includes(String(got));
  if (fromZod && !repeats) return wanted;
  return typeof expected === "string" ? expected : "something else";
}
