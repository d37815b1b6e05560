import { crc32 } from "node:zlib";
import type { StateMachine } from "../../../manager/log/replicated-log.ts";
import type { Store } from "../../../manager/store/store.ts";
import { StoreObject } from "../../../proto/gen/store.ts";
import { allObjects } from "./all-objects.ts";
import type { World } from "./world.ts";

/** The whole state is compared whenever so many entries were applied. */
const HASH_EVERY = 20;

/** The store, with what every manager must agree on compared after each entry. */
export function checked(store: Store, nodeId: string, world: World): StateMachine {
  const compare = (index: number, what: string, hash: number): void =>
    world.agreement.compare(nodeId, index, what, hash);
  return {
    apply: (index, data) => {
      const before = store.view().index;
      const result = store.apply(index, data);
      const { ok } = result;
      const outcome = ok ? "ok" : `${result.code} ${result.message}`;
      compare(index, "outcome", crc32(outcome, crc32(data)));
      if (Math.floor(index / HASH_EVERY) > Math.floor(before / HASH_EVERY)) {
        compare(index, "state", hashOf(store));
      }
      world.onApplied(nodeId, store, index);
      return result;
    },
    snapshot: () => {
      compare(store.view().index, "state", hashOf(store));
      return store.snapshot();
    },
    restore: (index, parts) => {
      store.restore(index, parts);
      compare(index, "state", hashOf(store));
    },
  };
}

/** Of all objects, in whatever order they are kept. */
function hashOf(store: Store): number {
  let sum = 0;
  for (const object of allObjects(store.view())) {
    sum = (sum + crc32(StoreObject.encode({ kind: object }).finish())) >>> 0;
  }
  return sum;
}
