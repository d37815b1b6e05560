import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireNode, WireSwarm } from "../../client/wire.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { parseDuration } from "../../flags/units.ts";
import { externalCaOption } from "./external-ca.ts";
import { rotationProgress } from "./rotation-progress.ts";

const POLL_MS = 200;

interface CaOptions {
  readonly rotate?: boolean;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly certExpiry?: string;
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

/** Flags that mean nothing without --rotate, as Docker has them. */
const ROTATE_ONLY = ["caCert", "caKey", "certExpiry"] as const;

export function addSwarmCa(parent: Command, context: Context): void {
  parent
    .command("ca")
    .description("Show the swarm's root CA certificate, or replace it")
    .option("--rotate", "Move the swarm to a new root CA: a new one, or the one given")
    .option("--ca-cert <file>", "PEM file of the root CA to move to")
    .option("--ca-key <file>", "PEM file of its key")
    .option("--cert-expiry <duration>", "Life of node certificates from now on")
    .addOption(externalCaOption())
    .option("-d, --detach", "Do not wait until every node has moved")
    .option("-q, --quiet", "No progress")
    .action(async (options: CaOptions) => {
      if (options.rotate !== true) {
        refuseWithoutRotate(options);
        printRoot(context, await context.client().get<WireSwarm>("/swarm"));
        return;
      }
      await rotate(context, options);
      if (options.detach === true) return;
      printRoot(context, await untilMoved(context, options.quiet === true));
    });
}

async function rotate({ client }: Context, options: CaOptions): Promise<void> {
  const { caCert, caKey, certExpiry } = options;
  if (caCert !== undefined && caKey === undefined) {
    throw invalid("the --ca-cert flag requires that a --ca-key flag be provided as well");
  }
  if (caKey !== undefined && caCert === undefined) {
    throw invalid("the --ca-key flag requires that a --ca-cert flag be provided as well");
  }
  const { Version, Spec } = await client().get<WireSwarm>("/swarm");
  const config = Spec.CAConfig ?? {};
  const given =
    caCert === undefined || caKey === undefined
      ? { ForceRotate: (config.ForceRotate ?? 0) + 1 }
      : { SigningCACert: readFile(caCert), SigningCAKey: readFile(caKey) };
  const expiry = certExpiry === undefined ? {} : { NodeCertExpiry: parseDuration(certExpiry) };
  const body = { ...Spec, CAConfig: { ...config, ...given, ...expiry } };
  await client().post("/swarm/update", body, { version: Version.Index });
}

/** Says who has yet to move, until all have. Ctrl-C leaves the swarm to go on by itself. */
async function untilMoved(context: Context, quiet: boolean): Promise<WireSwarm> {
  let said = "";
  for (;;) {
    const swarm = await context.client().get<WireSwarm>("/swarm");
    const nodes = await context.client().get<WireNode[]>("/nodes");
    const { done, text } = rotationProgress(swarm, nodes);
    if (text !== said && !quiet) context.warn(`${text}\n`);
    said = text;
    if (done) return swarm;
    try {
      await sleep(POLL_MS, undefined, { signal: context.interrupt });
    } catch {
      context.warn(
        "Operation continuing in background.\nUse `muster swarm ca` to see the root CA.\n",
      );
      throw new ExitError(ExitCode.Ok);
    }
  }
}

function refuseWithoutRotate(options: CaOptions): void {
  const flag = ROTATE_ONLY.find((name) => options[name] !== undefined);
  if (flag === undefined) return;
  const name = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw invalid(`\`--${name}\` flag requires the \`--rotate\` flag to update the CA`);
}

function printRoot({ print }: Context, { TLSInfo }: WireSwarm): void {
  const root = TLSInfo?.TrustRoot ?? "";
  if (root === "") throw new ClusterError("Unavailable", "No CA information available");
  print(`${root.trim()}\n`);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw invalid(`cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`);
  }
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
