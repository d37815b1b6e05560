import { type Command, Option } from "commander";
import type { WireInfo, WireSwarm } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { parseCount, parseDuration } from "../../flags/units.ts";
import { dispatcherBody } from "./dispatcher-body.ts";
import { externalCaOption } from "./external-ca.ts";
import { joinCommand } from "./join-token.ts";
import { encryptionBody, fetchUnlockKey, readAutolock, unlockInstructions } from "./unlock-text.ts";

interface InitOptions {
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
  readonly availability: string;
  readonly dataPathPort?: string;
  readonly defaultAddrPool?: string[];
  readonly defaultAddrPoolMaskLength?: string;
  readonly taskHistoryLimit?: string;
  readonly certExpiry?: string;
  readonly heartbeat?: string;
  readonly dispatcherHeartbeat?: string;
  readonly downAfter?: string;
  readonly restartGrace?: string;
  readonly autolock?: string | boolean;
  readonly forceNewCluster?: boolean;
}

export function addSwarmInit(parent: Command, context: Context): void {
  parent
    .command("init")
    .description("Start a swarm with this node as its first manager")
    .option(
      "--advertise-addr <address>",
      "Address others reach this node at, ADDRESS or INTERFACE[:PORT]",
    )
    .option("--listen-addr <address>", "Address to listen at (default 0.0.0.0:2377)")
    .addOption(
      new Option("--availability <word>", "active, pause or drain")
        .choices(["active", "pause", "drain"])
        .default("active"),
    )
    .option("--data-path-port <port>", "UDP port of the overlay networks (default 4789)")
    .option("--default-addr-pool <cidr>", "Pool of network addresses (default 10.0.0.0/8)", collect)
    .option(
      "--default-addr-pool-mask-length <bits>",
      "Prefix length of networks from the pools (default 24)",
    )
    .option("--task-history-limit <n>", "Ended tasks kept for each slot (default 5)")
    .option("--cert-expiry <duration>", "Life of node certificates (default 2160h)")
    .addOption(externalCaOption())
    .option("--heartbeat <duration>", "Time between heartbeats of nodes (default 500ms)")
    .option("--dispatcher-heartbeat <duration>", "Docker's name of --heartbeat")
    .option("--down-after <duration>", "Silence after which a node is down (default 2.5s)")
    .option(
      "--restart-grace <duration>",
      "Time for a daemon whose connection broke to come back (default 10s)",
    )
    .option("--autolock [boolean]", "Managers need an unlock key after a restart")
    .option("--force-new-cluster", "Start again from this manager's state alone")
    .action(async (options: InitOptions) => {
      const nodeId = await context.client().post<string>("/swarm/init", initBody(options));
      const [swarm, info] = await Promise.all([
        context.client().get<WireSwarm>("/swarm"),
        context.client().get<WireInfo>("/info"),
      ]);
      context.print(`Swarm initialized: current node (${nodeId}) is now a manager.

To add a worker to this swarm, run the following command:

    ${joinCommand(swarm.JoinTokens.Worker, info)}

To add a manager to this swarm, run 'muster swarm join-token manager' and follow the instructions.
`);
      if (readAutolock(options.autolock) === true) {
        context.print(`\n${unlockInstructions(await fetchUnlockKey(context))}`);
      }
    });
}

function initBody(options: InitOptions): object {
  const { taskHistoryLimit, certExpiry } = options;
  return {
    AdvertiseAddr: options.advertiseAddr ?? "",
    ListenAddr: options.listenAddr ?? "",
    Availability: options.availability,
    ForceNewCluster: options.forceNewCluster ?? false,
    DataPathPort: parseCount("data-path-port", options.dataPathPort ?? "0"),
    DefaultAddrPool: options.defaultAddrPool ?? [],
    SubnetSize: parseCount(
      "default-addr-pool-mask-length",
      options.defaultAddrPoolMaskLength ?? "0",
    ),
    Spec: {
      ...encryptionBody(readAutolock(options.autolock)),
      Orchestration:
        taskHistoryLimit === undefined
          ? {}
          : { TaskHistoryRetentionLimit: parseCount("task-history-limit", taskHistoryLimit) },
      CAConfig: certExpiry === undefined ? {} : { NodeCertExpiry: parseDuration(certExpiry) },
      Dispatcher: dispatcherBody(options),
    },
  };
}
