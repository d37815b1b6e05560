import { ClusterError } from "../../core/errors.ts";
import type { Hello } from "../../proto/gen/dispatcher.ts";
import { NodeDescription } from "../../proto/gen/objects.ts";

/** Encoded bytes of what a node says of itself; it is stored and shown in lists. */
export const DESCRIPTION_BYTES_MAX = 64 * 1024;
/** An IPv6 address with its zone. */
const ADDR_CHARS_MAX = 128;

/** Whether what a node says of itself may be stored. @throws {ClusterError} `InvalidArgument`. */
export function checkHello({ description, addr }: Hello): void {
  const bytes = description === undefined ? 0 : NodeDescription.encode(description).finish().length;
  if (bytes > DESCRIPTION_BYTES_MAX) {
    throw new ClusterError(
      "InvalidArgument",
      `cannot open a session: the node describes itself in ${bytes} bytes, at most ${DESCRIPTION_BYTES_MAX} are stored; give it fewer labels`,
    );
  }
  if (addr.length > ADDR_CHARS_MAX) {
    throw new ClusterError("InvalidArgument", "cannot open a session: its address is no address");
  }
}
