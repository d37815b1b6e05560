import type { NetworkAttachment } from "../../proto/gen/objects.ts";
import { ingressNetworkOf } from "../endpoints/entries.ts";
import type { StoredTask } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import type { Allocations, Holding } from "./allocations.ts";
import { isEndpointCurrent, networkProblem } from "./endpoint-plan.ts";

/** What a task gets, or what it waits for. */
export type TaskAllocation =
  | { readonly networks: NetworkAttachment[] }
  | { readonly problem: string };

/** Gives a task an address on each network of its revision. All or none. */
export function planTask(view: View, task: StoredTask, allocations: Allocations): TaskAllocation {
  const revision = view.revisions.find(task.serviceId, task.revision);
  const service = view.services.get(task.serviceId);
  if (revision === undefined || service === undefined) return { problem: "its service is gone" };
  if (!isEndpointCurrent(view, service)) {
    return { problem: "its service waits for virtual addresses or published ports" };
  }
  const wanted = revision.task.networks.map(({ target, aliases }) => ({ id: target, aliases }));
  const ingress = ingressNetworkOf(view);
  if (revision.ingress && ingress !== undefined) wanted.push({ id: ingress.id, aliases: [] });

  const networks: NetworkAttachment[] = [];
  const taken: Holding[] = [];
  for (const { id: networkId, aliases } of wanted) {
    const address = allocations.take(networkId, task.id);
    if (address === undefined) {
      allocations.release(task.id, taken);
      return { problem: networkProblem(view, networkId) };
    }
    taken.push({ networkId, address });
    networks.push({ networkId, addresses: [address], aliases });
  }
  return { networks };
}
