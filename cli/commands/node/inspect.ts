import type { Command } from "commander";
import type { WireNode } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { humanBytes } from "../../output/human.ts";
import { inspectAll } from "../inspect.ts";

export function addNodeInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show nodes in detail")
    .argument("<node...>", "Ids or host names, or self")
    .option("-f, --format <template>", "Go template")
    .option("--pretty", "For people")
    .action(async (refs: string[], options: { format?: string; pretty?: boolean }) => {
      const pretty =
        options.pretty === true ? (object: unknown) => prettyNode(object as WireNode) : undefined;
      await inspectAll(context, refs, { format: options.format, pretty }, (ref) =>
        getNode(context, ref),
      );
    });
}

/** The node a ref names: its full object. */
export async function getNode({ client }: Context, ref: string): Promise<WireNode> {
  return client().get<WireNode>(`/nodes/${encodeURIComponent(ref)}`);
}

function prettyNode({ ID, Spec, Description, Status, ManagerStatus }: WireNode): string {
  const { NanoCPUs = 0, MemoryBytes = 0 } = Description?.Resources ?? {};
  const manager = ManagerStatus;
  return [
    `ID:\t\t\t${ID}`,
    `Hostname:\t\t${Description?.Hostname ?? ""}`,
    ...Object.entries(Spec.Labels ?? {}).map(([key, value]) => `Label:\t\t\t${key}=${value}`),
    "Status:",
    ` State:\t\t\t${Status.State}`,
    ...(Status.Message ? [` Message:\t\t${Status.Message}`] : []),
    ` Availability:\t\t${Spec.Availability}`,
    ` Address:\t\t${Status.Addr ?? ""}`,
    ...(manager === undefined
      ? []
      : [
          "Manager Status:",
          ` Address:\t\t${manager.Addr}`,
          ` Raft Status:\t\t${manager.Reachability}`,
          ` Leader:\t\t${manager.Leader === true ? "Yes" : "No"}`,
        ]),
    "Platform:",
    ` Operating System:\t${Description?.Platform?.OS ?? ""}`,
    ` Architecture:\t\t${Description?.Platform?.Architecture ?? ""}`,
    "Resources:",
    ` CPUs:\t\t\t${NanoCPUs / 1e9}`,
    ` Memory:\t\t${humanBytes(MemoryBytes)}`,
    `Engine Version:\t\t${Description?.Engine?.EngineVersion ?? ""}`,
  ].join("\n");
}
