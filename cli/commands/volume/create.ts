import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { splitPair } from "../../flags/parse.ts";
import { addRefused } from "../../flags/refused.ts";
import type { WireVolume } from "./wire.ts";

interface CreateOptions {
  readonly driver: string;
  readonly label?: string[];
  readonly opt?: string[];
}

/** Of volumes that a driver shares between machines. */
const CLUSTER_FLAGS = [
  ...["--availability <when>", "--group <group>", "--limit-bytes <bytes>", "--scope <scope>"],
  ...["--required-bytes <bytes>", "--secret <secret>", "--sharing <mode>", "--type <access>"],
  ...["--topology-preferred <topology>", "--topology-required <topology>"],
];

export function addVolumeCreate(parent: Command, context: Context): void {
  addRefused(parent.command("create"), "cluster volumes are not served", CLUSTER_FLAGS)
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
