import { Argument, type Command } from "commander";
import type { WireInfo, WireSwarm } from "../../client/wire.ts";
import type { Context } from "../../context.ts";

export function addSwarmJoinToken(parent: Command, context: Context): void {
  parent
    .command("join-token")
    .description("Show or change the token with which nodes join")
    .addArgument(new Argument("<role>").choices(["worker", "manager"]))
    .option("-q, --quiet", "Only the token")
    .option("--rotate", "Make a new token; the old one is refused from now on")
    .action(async (role: "worker" | "manager", options: { quiet?: boolean; rotate?: boolean }) => {
      const client = context.client();
      if (options.rotate === true) {
        const { Version, Spec } = await client.get<WireSwarm>("/swarm");
        const flag = role === "worker" ? "rotateWorkerToken" : "rotateManagerToken";
        await client.post("/swarm/update", Spec, { version: Version.Index, [flag]: true });
        if (options.quiet !== true) context.print(`Successfully rotated ${role} join token.\n\n`);
      }
      const [swarm, info] = await Promise.all([
        client.get<WireSwarm>("/swarm"),
        client.get<WireInfo>("/info"),
      ]);
      const token = role === "worker" ? swarm.JoinTokens.Worker : swarm.JoinTokens.Manager;
      if (options.quiet === true) context.print(`${token}\n`);
      else
        context.print(
          `To add a ${role} to this swarm, run the following command:\n\n    ${joinCommand(token, info)}\n\n`,
        );
    });
}

/** What to type on the node that joins. */
export function joinCommand(token: string, { Swarm }: WireInfo): string {
  const own = Swarm.RemoteManagers?.find((manager) => manager.NodeID === Swarm.NodeID);
  const addr = own?.Addr ?? `${Swarm.NodeAddr}:2377`;
  return `muster swarm join --token ${token} ${addr}`;
}
