import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireInfo } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { readSecret } from "../../flags/read-secret.ts";

export function addSwarmUnlock(parent: Command, context: Context): void {
  parent
    .command("unlock")
    .description("Unlock this manager after a restart; the key is asked for, or read from a pipe")
    .action(async () => {
      const { Swarm } = await context.client().get<WireInfo>("/info");
      // Nobody is asked for a key that is of no use.
      if (Swarm.LocalNodeState === "inactive")
        throw new ClusterError("FailedPrecondition", "this node is not part of a swarm");
      if (Swarm.LocalNodeState !== "locked")
        throw new ClusterError("FailedPrecondition", "swarm is not locked");
      const key = await readSecret(context, "Enter unlock key: ");
      await context.client().post("/swarm/unlock", { UnlockKey: key });
    });
}
