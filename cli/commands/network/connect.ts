import type { Command } from "commander";
import { parseInteger } from "../../container/values.ts";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { mapOf } from "../../flags/parse.ts";

interface ConnectOptions {
  readonly ip?: string;
  readonly ip6?: string;
  readonly alias?: string[];
  readonly link?: string[];
  readonly gwPriority?: string;
  readonly driverOpt?: string[];
  readonly linkLocalIp?: string[];
}

export function addNetworkConnect(parent: Command, context: Context): void {
  parent
    .command("connect")
    .description("Put a container into a network of this machine, also while it runs")
    .argument("<network>", "Name or id")
    .argument("<container>", "Name or id")
    .option("--ip <address>", "IPv4 address, 10.1.0.9 (default: the next that is free)")
    .option("--ip6 <address>", "IPv6 address")
    .option("--alias <name>", "Another name for the container in the network", collect)
    .option("--link <container:alias>", "Another name for a container, for this one alone", collect)
    .option("--link-local-ip <address>", "A link-local address", collect)
    .option("--driver-opt <key=value>", "Option of the driver", collect)
    .option("--gw-priority <number>", "The network with the greatest is the default gateway")
    .action(async (network: string, container: string, options: ConnectOptions) => {
      await context.client().post(`/networks/${encodeURIComponent(network)}/connect`, {
        Container: container,
        EndpointConfig: {
          IPAMConfig: {
            IPv4Address: options.ip ?? "",
            IPv6Address: options.ip6 ?? "",
            LinkLocalIPs: options.linkLocalIp,
          },
          DriverOpts: mapOf(options.driverOpt),
          Aliases: options.alias ?? [],
          Links: options.link ?? [],
          GwPriority: parseInteger("gw-priority")(options.gwPriority ?? "0"),
        },
      });
    });
}
