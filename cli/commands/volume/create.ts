import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { splitPair } from "../../flags/parse.ts";
import type { WireVolume } from "./wire.ts";

interface CreateOptions {
  readonly driver: string;
  readonly label?: string[];
  readonly opt?: string[];
}

export function addVolumeCreate(parent: Command, context: Context): void {
  parent
    .command("create")
    .description("Create a volume")
    .argument("[name]", "Default: one that nobody has")
    .option("-d, --driver <driver>", "Driver", "local")
    .option("--label <key=value>", "Label", collect)
    .option("-o, --opt <key=value>", "type, device or o of what is mounted there", collect)
    .action(async (name: string | undefined, { driver, label, opt }: CreateOptions) => {
      const { Name } = await context.client().post<WireVolume>("/volumes/create", {
        Name: name ?? "",
        Driver: driver,
        Labels: Object.fromEntries((label ?? []).map(splitPair)),
        DriverOpts: Object.fromEntries((opt ?? []).map(splitPair)),
      });
      context.print(`${Name}\n`);
    });
}
