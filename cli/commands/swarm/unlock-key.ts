import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireSwarm } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { fetchUnlockKey, unlockInstructions } from "./unlock-text.ts";

export function addSwarmUnlockKey(parent: Command, context: Context): void {
  parent
    .command("unlock-key")
    .description("Show or change the key that unlocks managers after a restart")
    .option("-q, --quiet", "Only the key")
    .option("--rotate", "Make a new key; managers that run take it at once")
    .action(async (options: { quiet?: boolean; rotate?: boolean }) => {
      if (options.rotate === true) await rotate(context, options.quiet === true);
      const key = await fetchUnlockKey(context);
      if (key === "") throw new ClusterError("FailedPrecondition", "no unlock key is set");
      context.print(options.quiet === true ? `${key}\n` : unlockInstructions(key));
    });
}

async function rotate(context: Context, quiet: boolean): Promise<void> {
  const client = context.client();
  const { Version, Spec } = await client.get<WireSwarm>("/swarm");
  const encryption = Spec.EncryptionConfig as { AutoLockManagers?: boolean } | undefined;
  if (encryption?.AutoLockManagers !== true) {
    throw new ClusterError("FailedPrecondition", "cannot rotate because autolock is not turned on");
  }
  await client.post("/swarm/update", Spec, {
    version: Version.Index,
    rotateManagerUnlockKey: true,
  });
  if (!quiet) context.print("Successfully rotated manager unlock key.\n\n");
}
