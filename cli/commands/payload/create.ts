import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { splitPair } from "../../flags/parse.ts";

/** More than any config or secret may hold; past it reading stops and the daemon's own refusal would come anyway. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

interface CreateOptions {
  readonly label?: string[];
  readonly driver?: string;
  readonly templateDriver?: string;
}

export function addConfigCreate(parent: Command, context: Context): void {
  const command = parent
    .command("create")
    .description("Create a config from a file or standard input")
    .argument("<config>", "Name of the config")
    .argument("<file>", "File to read; - is standard input");
  addFlags(command).action(async (name: string, file: string, options: CreateOptions) => {
    context.print(`${await create(context, "/configs/create", name, file, options)}\n`);
  });
}

export function addSecretCreate(parent: Command, context: Context): void {
  const command = parent
    .command("create")
    .description("Create a secret from a file or standard input")
    .argument("<secret>", "Name of the secret")
    .argument("[file]", "File to read; - is standard input")
    .option("-d, --driver <driver>", "Driver that has the secret, instead of a file");
  addFlags(command).action(
    async (name: string, file: string | undefined, options: CreateOptions) => {
      context.print(`${await create(context, "/secrets/create", name, file, options)}\n`);
    },
  );
}

function addFlags(command: Command): Command {
  return command
    .option("-l, --label <key=value>", "Label", collect)
    .option("--template-driver <driver>", "Driver that fills in templates");
}

async function create(
  context: Context,
  path: string,
  name: string,
  file: string | undefined,
  { label = [], driver, templateDriver }: CreateOptions,
): Promise<string> {
  if (file === undefined && driver === undefined) {
    throw new ClusterError(
      "InvalidArgument",
      "cannot create the secret: no data; name a file, or - for standard input",
    );
  }
  const data = file === undefined ? "" : (await readFile(file)).toString("base64");
  const { ID } = await context.client().post<{ ID: string }>(path, {
    Name: name,
    Labels: Object.fromEntries(label.map(splitPair)),
    Data: data,
    ...(driver === undefined ? {} : { Driver: { Name: driver } }),
    ...(templateDriver === undefined ? {} : { Templating: { Name: templateDriver } }),
  });
  return ID;
}

/** @throws {ClusterError} `NotFound` when it cannot be read, `InvalidArgument` when it is far too large. */
async function readFile(path: string): Promise<Buffer> {
  const stream = path === "-" ? process.stdin : createReadStream(path);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > FILE_BYTES_MAX) break;
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ClusterError("NotFound", `cannot read ${path} (${code ?? message}): name a file`, {
      cause,
    });
  }
  if (bytes <= FILE_BYTES_MAX) return Buffer.concat(chunks);
  throw new ClusterError(
    "InvalidArgument",
    `cannot read ${path}: it is larger than ${FILE_BYTES_MAX} bytes`,
  );
}
