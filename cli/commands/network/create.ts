import type { Command } from "commander";
import type { WireInfo } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { mapOf, splitPair } from "../../flags/parse.ts";
import { type PoolFlags, planPools } from "./pools.ts";

interface CreateOptions extends PoolFlags {
  readonly driver?: string;
  readonly label?: string[];
  readonly opt?: string[];
  readonly attachable?: boolean;
  readonly internal?: boolean;
  readonly ipv6?: boolean;
  readonly ipv4: boolean;
  readonly configFrom?: string;
  readonly configOnly?: boolean;
  readonly ingress?: boolean;
  readonly ipamDriver?: string;
  readonly ipamOpt?: string[];
  readonly scope?: string;
}

export function addNetworkCreate(parent: Command, context: Context): void {
  parent
    .command("create")
    .description("Create a network across the nodes of the swarm, or of this machine")
    .argument("<name>", "Name of the network")
    .option("-d, --driver <driver>", "overlay (default in a swarm), bridge (default without)")
    .option("--subnet <cidr>", "Addresses, 10.1.0.0/24 (default: some that are free)", collect)
    .option("--gateway <address>", "Gateway of the subnet", collect)
    .option("--ip-range <cidr>", "The part of the subnet that containers get", collect)
    .option("--aux-address <name=address>", "An address that no container gets", collect)
    .option("--label <key=value>", "Label", collect)
    .option("-o, --opt <key=value>", "Option of the driver", collect)
    .option("--attachable", "Let single containers attach")
    .option("--internal", "No way out of the network")
    .option("--ipv4", "Addresses of IPv4", true)
    .option("--ipv6", "Addresses of IPv6 too")
    .option("--config-from <network>", "Take what it is from another")
    .option("--config-only", "Only for others to take from")
    .option("--ingress", "The one for published ports of services")
    .option("--ipam-driver <driver>", "Who gives the addresses")
    .option("--ipam-opt <key=value>", "Option of that driver", collect)
    .option("--scope <scope>", "local or swarm")
    .action(async (name: string, options: CreateOptions) => {
      const pools = planPools(options);
      const { Id } = await context.client().post<{ Id: string }>("/networks/create", {
        Name: name,
        Driver: options.driver ?? (await usualDriver(context)),
        Attachable: options.attachable ?? false,
        Internal: options.internal ?? false,
        EnableIPv6: options.ipv6 ?? false,
        Labels: Object.fromEntries((options.label ?? []).map(splitPair)),
        Options: Object.fromEntries((options.opt ?? []).map(splitPair)),
        EnableIPv4: options.ipv4 ? undefined : false,
        Scope: options.scope,
        Ingress: options.ingress,
        ConfigOnly: options.configOnly,
        ConfigFrom: options.configFrom === undefined ? undefined : { Network: options.configFrom },
        IPAM: { Driver: options.ipamDriver, Options: mapOf(options.ipamOpt), Config: pools },
      });
      context.print(`${Id}\n`);
    });
}

async function usualDriver(context: Context): Promise<string> {
  const { Swarm } = await context.client().get<WireInfo>("/info");
  return Swarm.LocalNodeState === "active" ? "overlay" : "bridge";
}
