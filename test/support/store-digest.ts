import { createHash } from "node:crypto";
import type { Store } from "../../manager/store/store.ts";

/** The same for the same state and for no other: of all that a snapshot would hold. */
export function storeDigest(store: Store): string {
  const hash = createHash("sha256");
  for (const part of store.snapshot()) hash.update(part);
  return hash.digest("hex");
}
