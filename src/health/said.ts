// What a check that resolved has said of its component: most say nothing, some say plainly that it is unwell.
import { field, isResponse, textField } from "../core/shapes.ts";

/** As Spring's, Terminus's and application/health+json's bodies have it. */
const unwell = new Set(["down", "error", "fail", "failed", "unhealthy", "unavailable"]);

/** The words of it that say it is unwell; nothing else of it is repeated. */
export function saidUnwell(value: unknown): string | undefined {
  if (value === false) return "`false`";
  if (isResponse(value)) return field(value, "ok") === false ? `HTTP ${field(value, "status")}` : undefined;
  if (field(value, "ok") === false) return "`ok: false`";
  if (field(value, "healthy") === false) return "`healthy: false`";
  const status = textField(value, "status")?.toLowerCase() ?? "";
  return unwell.has(status) ? `\`status: "${status}"\`` : undefined;
}
