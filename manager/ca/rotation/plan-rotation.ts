import type { RootCa } from "../../../proto/gen/objects.ts";
import type { StoredNode } from "../../store/objects.ts";
import { hasTls, wantedTls } from "./root-rotation.ts";

/** Nodes that are told to renew and have not yet: more wait, so that managers are not asked for everything at once. */
export const RENEWING_MAX = 30;
/** A node that was told so long ago and has not renewed is told again. */
export const RETELL_MS = 30_000;

/** What is to be done so that every node has a certificate of the present CA. */
export interface RotationPlan {
  /** Nodes to tell that they must renew, in this order. */
  readonly tell: readonly string[];
  /** Nodes that have yet to renew, those in `tell` among them. */
  readonly behind: readonly string[];
  /** Every node has moved: the new root can take the old one's place. */
  readonly finish: boolean;
}

/**
 * Plans a move to another root, and what is left to do after one.
 *
 * A move ends only when every node of the swarm has moved, those that are down too: dropping the old root would shut
 * them out for good. Who cannot wait for a node removes it from the swarm. While there is no move, nodes that never said
 * what they have are let be.
 *
 * @param toldAtMs when nodes were last told.
 * @param canHear whether a node is there to be told.
 * Source: swarmkit, ca/reconciler.go: it waits for all nodes as well, and renews thirty at once.
 */
export function planRotation(
  rootCa: RootCa,
  nodes: Iterable<Pick<StoredNode, "id" | "tls">>,
  now: {
    readonly nowMs: number;
    readonly toldAtMs: ReadonlyMap<string, number>;
    readonly canHear: (nodeId: string) => boolean;
  },
): RotationPlan {
  const isMoving = rootCa.rotation !== undefined;
  const wanted = wantedTls(rootCa);
  const behind: string[] = [];
  for (const { id, tls } of nodes) {
    if (hasTls(tls, wanted)) continue;
    if (tls !== undefined || isMoving) behind.push(id);
  }
  const isRenewing = (id: string) => now.nowMs < (now.toldAtMs.get(id) ?? -RETELL_MS) + RETELL_MS;
  const free = RENEWING_MAX - behind.filter(isRenewing).length;
  const next = behind.filter((id) => !isRenewing(id) && now.canHear(id));
  return {
    tell: next.slice(0, Math.max(0, free)),
    behind,
    finish: isMoving && behind.length === 0,
  };
}
