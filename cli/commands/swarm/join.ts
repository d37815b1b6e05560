import { type Command, Option } from "commander";
import type { WireInfo } from "../../client/wire.ts";
import type { Context } from "../../context.ts";

interface JoinOptions {
  readonly token: string;
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
  readonly availability: string;
}

export function addSwarmJoin(parent: Command, context: Context): void {
  parent
    .command("join")
    .description("Join a swarm, as worker or manager by the token")
    .argument("<host:port>", "Address of one of its managers")
    .requiredOption("--token <token>", "Token that 'muster swarm join-token' shows on a manager")
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
    .action(async (remote: string, options: JoinOptions) => {
      await context.client().post("/swarm/join", {
        RemoteAddrs: [remote],
        JoinToken: options.token,
        AdvertiseAddr: options.advertiseAddr ?? "",
        ListenAddr: options.listenAddr ?? "",
        Availability: options.availability,
      });
      const { Swarm } = await context.client().get<WireInfo>("/info");
      context.print(
        `This node joined a swarm as a ${Swarm.ControlAvailable ? "manager" : "worker"}.\n`,
      );
    });
}
