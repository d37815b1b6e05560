import type { Command } from "commander";
import type { WireSwarm } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { parseCount, parseDuration } from "../../flags/units.ts";
import { dispatcherBody } from "./dispatcher-body.ts";
import { externalCaOption } from "./external-ca.ts";
import { encryptionBody, fetchUnlockKey, readAutolock, unlockInstructions } from "./unlock-text.ts";

interface UpdateOptions {
  readonly taskHistoryLimit?: string;
  readonly certExpiry?: string;
  readonly heartbeat?: string;
  readonly dispatcherHeartbeat?: string;
  readonly downAfter?: string;
  readonly restartGrace?: string;
  readonly snapshotInterval?: string;
  readonly autolock?: string | boolean;
}

export function addSwarmUpdate(parent: Command, context: Context): void {
  parent
    .command("update")
    .description("Change the swarm's settings")
    .option("--task-history-limit <n>", "Ended tasks kept for each slot")
    .option("--cert-expiry <duration>", "Life of node certificates")
    .addOption(externalCaOption())
    .option("--heartbeat <duration>", "Time between heartbeats of nodes")
    .option("--dispatcher-heartbeat <duration>", "Docker's name of --heartbeat")
    .option("--down-after <duration>", "Silence after which a node is down; 0: the default")
    .option(
      "--restart-grace <duration>",
      "Time for a daemon whose connection broke to come back; 0: the default",
    )
    .option("--snapshot-interval <n>", "Log entries between snapshots")
    .option("--autolock [boolean]", "Managers need an unlock key after a restart, or none")
    .action(async (options: UpdateOptions, command: Command) => {
      // As docker does: nothing asked for is a question.
      if (Object.keys(options).length === 0) {
        context.print(command.helpInformation());
        return;
      }
      const { Version, Spec } = await context.client().get<WireSwarm>("/swarm");
      await context
        .client()
        .post("/swarm/update", amend(Spec, options), { version: Version.Index });
      context.print("Swarm updated.\n");
      const before = Spec.EncryptionConfig as { AutoLockManagers?: boolean } | undefined;
      if (readAutolock(options.autolock) === true && before?.AutoLockManagers !== true) {
        context.print(`\n${unlockInstructions(await fetchUnlockKey(context))}`);
      }
    });
}

function amend(spec: Record<string, unknown>, options: UpdateOptions): Record<string, unknown> {
  const { taskHistoryLimit, certExpiry, snapshotInterval } = options;
  return {
    ...spec,
    ...encryptionBody(readAutolock(options.autolock)),
    ...(taskHistoryLimit === undefined
      ? {}
      : {
          Orchestration: {
            TaskHistoryRetentionLimit: parseCount("task-history-limit", taskHistoryLimit),
          },
        }),
    ...(certExpiry === undefined
      ? {}
      : { CAConfig: { NodeCertExpiry: parseDuration(certExpiry) } }),
    Dispatcher: dispatcherBody(options),
    ...(snapshotInterval === undefined
      ? {}
      : { Raft: { SnapshotInterval: parseCount("snapshot-interval", snapshotInterval) } }),
  };
}
