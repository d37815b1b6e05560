import type { Client } from "../../../cli/client/client.ts";
import type { WireObject, WireService } from "../../../cli/client/wire.ts";
import type { TestNode } from "../cluster/test-node.ts";
import type { Lab } from "../lab/lab.ts";
import { kernelState, newLines } from "../leftovers/kernel-state.ts";
import { looking } from "./rest.ts";

/** Calls at a time; one after the other would take long. */
const LANES = 16;

/** Removes all services and networks, and waits until no task is left. */
export async function removeAll(api: Client): Promise<void> {
  const services = await api.get<WireService[]>("/services");
  await removeEach(
    api,
    services.map(({ ID }) => `/services/${ID}`),
  );
  const isEmpty = async () => (await api.get<unknown[]>("/tasks")).length === 0;
  await looking("all tasks are gone", isEmpty);
  const networks = await api.get<(WireObject & { Id?: string; Ingress?: boolean })[]>("/networks", {
    filters: JSON.stringify({ scope: ["swarm"] }),
  });
  const paths = networks
    .filter(({ Ingress }) => Ingress !== true)
    .map(({ ID, Id }) => `/networks/${Id ?? ID}`);
  await removeEach(api, paths);
}

/** Removes what is at the paths. */
async function removeEach(api: Client, paths: readonly string[]): Promise<void> {
  const rest = [...paths];
  const lane = async () => {
    for (let path = rest.pop(); path !== undefined; path = rest.pop()) await api.delete(path);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** What there is on a node without services, once two looks see the same. */
export async function settledState(lab: Lab, node: TestNode): Promise<readonly string[]> {
  let before: readonly string[] = [];
  await looking(`${node.name} has its ingress network`, async () => {
    const now = await kernelState(lab, node);
    const same = now.join("\n") === before.join("\n");
    before = now;
    return same && now.includes("link host muster-in");
  });
  return before;
}

/** Waits until the node has nothing that it had not `before`. @throws naming what is left. */
export async function checkLeftovers(
  lab: Lab,
  node: TestNode,
  before: readonly string[],
): Promise<void> {
  let left: string[] = [];
  const isClean = async () => {
    left = newLines(before, await kernelState(lab, node));
    return left.length === 0;
  };
  try {
    await looking(`nothing is left on ${node.name}`, isClean);
  } catch (error) {
    throw new Error(`${(error as Error).message}:\n${left.join("\n")}`);
  }
}
