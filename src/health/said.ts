// What a check that resolved has said of its component: most say nothing, some say plainly that it is unwell, or not at its best.
import { field, isResponse, textField } from "../core/shapes.ts";

/** As Spring's, Terminus's and application/health+json's bodies have it. */
const unwell = new Set(["down", "error", "fail", "failed", "unhealthy", "unavailable"]);
const poor = new Set(["degraded", "warn", "warning"]);

/** The words of it that say it is unwell; nothing else of it is repeated. */
export function saidUnwell(value: unknown): string | undefined {
  if (value === false) return "`false`";
  if (isResponse(value)) return field(value, "ok") === false ? `HTTP ${field(value, "status")}` : undefined;
  if (field(value, "ok") === false) return "`ok: false`";
  if (field(value, "healthy") === false) return "`healthy: false`";
  return statusIn(unwell, value);
}

/** The words of it that say it is right, but poor. */
export function saidPoor(value: unknown): string | undefined {
  return statusIn(poor, value);
}

function statusIn(words: ReadonlySet<string>, value: unknown): string | undefined {
  const status = textField(value, "status")?.toLowerCase() ?? "";
  return words.has(status) ? `\`status: "${status}"\`` : undefined;
}
