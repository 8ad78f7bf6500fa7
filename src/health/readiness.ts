// Whether new work may be sent here. Only what was declared for it decides: what calls tell would keep away the calls that could tell better.
import { readinessHolds } from "../core/readiness.ts";
import { reasonOf } from "./evidence.ts";
import type { Probed, Registry } from "./registry.ts";
import { decides } from "./rollUp.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

export function readiness(registry: Registry): Readiness {
  registry.refresh();
  const reasons = [
    ...readinessHolds(),
    ...[...registry.tasks].map(({ reason }) => `waits for ${reason}`),
    ...startUp(registry).reasons,
    ...failing(registry, "readiness"),
  ];
  return { ready: reasons.length === 0, reasons };
}

/** Whether everything that belongs to starting has passed. */
export function startUp(registry: Registry): Readiness {
  const reasons = failing(registry, "startup");
  return { ready: reasons.length === 0, reasons };
}

/** Whether it is worth going on: not known is no reason to end it, and no dependency is asked. */
export function liveness(registry: Registry): Readiness {
  const reasons = deciding(registry, "liveness")
    .filter(({ level }) => level === "unhealthy")
    .map((probe) => said(registry, probe));
  return { ready: reasons.length === 0, reasons };
}

/** The rounds that are on their way to a first answer. */
export function firstAnswers({ probes }: Registry, kinds: ReadonlyArray<Probed["kind"]>): readonly Promise<void>[] {
  return [...probes].flatMap(({ kind, lastAt, running }) =>
    lastAt === undefined && running !== undefined && kinds.includes(kind) ? [running] : [],
  );
}

function failing(registry: Registry, kind: Probed["kind"]): readonly string[] {
  return deciding(registry, kind)
    .filter(({ level }) => level === "unhealthy" || level === "unknown")
    .map((probe) => said(registry, probe));
}

function deciding(registry: Registry, kind: Probed["kind"]): readonly Probed[] {
  return [...registry.probes].filter((probe) => probe.kind === kind && decides(probe.criticality));
}

function said({ seams }: Registry, probe: Probed): string {
  return `${probe.component}: ${reasonOf(probe, seams.clock.now())}`;
}

/** Not ready until the task settles. Gives the task itself: a promise of ours beside it would end the process of one who has handled the failure of his. */
export function block<T extends PromiseLike<unknown>>({ tasks }: Registry, task: T, reason: string): T {
  const blocker = { reason };
  tasks.add(blocker);
  const over = () => void tasks.delete(blocker);
  task.then(over, over);
  return task;
}
