import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";

/** Where things of each kind are, in the order in which they are looked for. */
const PATHS: ReadonlyMap<string, (ref: string) => string> = new Map([
  ["container", (ref) => `/containers/${ref}/json`],
  ["image", (ref) => `/images/${ref}/json`],
  ["network", (ref) => `/networks/${ref}`],
  ["volume", (ref) => `/volumes/${ref}`],
  ["service", (ref) => `/services/${ref}`],
  ["task", (ref) => `/tasks/${ref}`],
  ["node", (ref) => `/nodes/${ref}`],
  ["secret", (ref) => `/secrets/${ref}`],
  ["config", (ref) => `/configs/${ref}`],
]);
/** Those of a swarm: a machine in none has none, which is no failure here. */
const SWARM = ["service", "task", "node", "secret", "config"];

interface InspectOptions {
  readonly format?: string;
  readonly size?: boolean;
  readonly type?: string;
}

/** `muster inspect`, of whatever has that name. */
export function addInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show all that is known of containers, images, networks, volumes…")
    .argument("<name...>", "Names or ids")
    .option("-f, --format <format>", "json or a Go template")
    .option("-s, --size", "With sizes, of containers")
    .option("--type <type>", `Only ${[...PATHS.keys()].join(", ")}`)
    .action(async (refs: string[], options: InspectOptions, verb: Command) => {
      const { format, size, type } = options;
      if (type !== undefined && !PATHS.has(type)) verb.error(`unknown type: "${type}"`);
      await inspectAll(context, refs, { format }, (ref) =>
        findAny(context.client(), ref, { size, type }),
      );
    });
}

async function findAny(
  client: Client,
  ref: string,
  { size, type }: { readonly size: boolean | undefined; readonly type: string | undefined },
): Promise<unknown> {
  for (const [kind, pathOf] of PATHS) {
    if (type !== undefined && kind !== type) continue;
    try {
      const path = pathOf(encodeURIComponent(ref));
      return await client.get(path, kind === "container" ? { size } : {});
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      const isOther = error.code === "NotFound" || SWARM.includes(kind);
      if (type !== undefined || !isOther) throw error;
    }
  }
  throw new ClusterError("NotFound", `Error: No such object: ${ref}`);
}
