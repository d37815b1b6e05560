import type { Client } from "../../client/client.ts";
import type { Context } from "../../context.ts";
import { forEachRef } from "../inspect.ts";

/** Where the daemon has a container, or one of its verbs. */
export function containerPath(ref: string, verb = ""): string {
  const path = `/containers/${encodeURIComponent(ref)}`;
  return verb === "" ? path : `${path}/${verb}`;
}

/** Does something with each container, and prints its name as it was given. Goes on after failures. */
export async function forEachContainer(
  context: Context,
  refs: readonly string[],
  act: (client: Client, ref: string) => Promise<void>,
): Promise<void> {
  await forEachRef(context, refs, async (ref) => {
    await act(context.client(), ref);
    return ref;
  });
}
