import type { WireService } from "../../../cli/client/wire.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { type RunningContainer, startOf } from "./containers.ts";
import { describeFault, type Fault } from "./plan.ts";
import type { Ledger } from "./writer.ts";

/** No fault ends a container on its node: whoever does so must be a manager that thinks again, on the nodes `exempt`. */
export function checkAlive(
  containers: Iterable<RunningContainer>,
  { exempt, during }: { readonly exempt: ReadonlySet<string>; readonly during: Fault },
): void {
  for (const container of containers) {
    if (exempt.has(container.nodeId) || isAlive(container)) continue;
    throw new Error(`during ${describeFault(during)}: task ${container.taskId} was ended`);
  }
}

/** Only on the nodes `exempt` may containers have been replaced, and then the old ones have ended. */
export function checkSame(
  before: ReadonlyMap<string, RunningContainer>,
  after: ReadonlyMap<string, RunningContainer>,
  { exempt, during }: { readonly exempt: ReadonlySet<string>; readonly during: string },
): void {
  for (const [taskId, old] of before) {
    const now = after.get(taskId);
    if (now?.pid === old.pid && now.startedAt === old.startedAt) continue;
    const where = `task ${taskId} on node ${old.nodeId}`;
    if (!exempt.has(old.nodeId)) throw new Error(`${during}: ${where} was restarted`);
    if (isAlive(old)) throw new Error(`${during}: ${where} was replaced and runs`);
  }
}

/** What was acknowledged is there, as this manager sees it; what was acknowledged to be removed is not. */
export async function checkWrites(manager: TestNode, ledger: Ledger): Promise<void> {
  const api = manager.api();
  const services = await api.get<WireService[]>("/services");
  const networks = await api.get<{ Name: string }[]>("/networks");
  const there = new Set([
    ...services.map((service) => service.Spec.Name),
    ...networks.map((network) => network.Name),
  ]);
  const lost = [...ledger.services, ...ledger.networks].filter((name) => !there.has(name));
  if (lost.length > 0) throw new Error(`${manager.name} lost acknowledged writes: ${lost.join()}`);
  const back = [...ledger.removed].filter((name) => there.has(name));
  if (back.length > 0) throw new Error(`${manager.name} has what was removed: ${back.join()}`);
}

function isAlive({ pid, startedAt }: RunningContainer): boolean {
  return startedAt !== undefined && startOf(pid) === startedAt;
}
