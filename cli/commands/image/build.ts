import { writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type Command, Option } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { type BuildFlags, buildQuery } from "../../build/build-query.ts";
import { openContext } from "../../build/context-folder.ts";
import { packContext, packFiles } from "../../build/pack-context.ts";
import { readDockerfile, readSentInput } from "../../build/standard-input.ts";
import { registryConfigHeader } from "../../client/registry-auth.ts";
import { proxyVariables, userSettings } from "../../client/user-settings.ts";
import { type Context, ExitError } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { showTransfer, type TransferLine } from "../../output/transfer.ts";
import { silenced } from "./pull.ts";

/** A context on its way, and its Dockerfile's path in it. */
interface SentContext {
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly dockerfile: string;
  /** A URL that the daemon fetches it from; undefined: it is sent. */
  readonly remote?: string;
}

const STANDARD_INPUT = "-";
/** An archive, a Dockerfile or a repository elsewhere. Source: docker/cli, cli/command/image/build. */
const REMOTE = /^(?:https?:\/\/|git:\/\/|github\.com\/|git@)/;

export function addBuild(parent: Command, context: Context): void {
  const command = parent
    .command("build")
    .description("Make an image as a Dockerfile says")
    .argument(
      "<folder>",
      "The context; a URL or a git repository; - for an archive or a Dockerfile from standard input",
    );
  for (const option of OPTIONS) command.addOption(option);
  command.action(async (folder: string, flags: BuildFlags) => {
    const { chunks, ...from } = await openSent(folder, flags);
    const { buildArg = [] } = flags;
    const proxies = proxyVariables(userSettings(context), context.client().host, buildArg);
    const query = buildQuery({ ...flags, buildArg: [...buildArg, ...proxies] }, from, process.env);
    const plain = Readable.from(chunks, { objectMode: false });
    const archive = flags.compress === true ? packed(plain) : plain;
    const headers = registryConfigHeader();
    const stream = await context.client().uploadForStream("/build", archive, query, headers);
    const view = flags.quiet === true || !context.isTerminal ? silenced(context) : context;
    let id = "";
    const shown = showTransfer(view, stream, (line: BuildLine) => {
      context.print(line.stream ?? "");
      id = line.aux?.ID ?? (flags.quiet === true ? (line.stream ?? "").trim() : id);
    });
    await shown.catch((error: unknown) => endAsCommand(error, context));
    if (flags.iidfile !== undefined) writeFileSync(flags.iidfile, id);
  });
}

/** A command that failed gives its own code to whoever builds, as docker does. @throws what it is given, or ExitError. */
function endAsCommand(error: unknown, { warn }: Context): never {
  const exitCode = error instanceof ClusterError ? error.details.exitCode : undefined;
  if (typeof exitCode !== "number") throw error;
  warn(`${errorMessage(error)}\n`);
  throw new ExitError(exitCode);
}

/** What goes wrong while it is read is told where it is sent from. */
function packed(archive: Readable): NodeJS.ReadableStream {
  const gzip = createGzip();
  archive.once("error", (error) => gzip.destroy(error));
  return archive.pipe(gzip);
}

interface BuildLine extends TransferLine {
  readonly aux?: { readonly ID?: string };
}

const many = (flags: string, description: string) =>
  new Option(flags, description).argParser(collect);

const OPTIONS: readonly Option[] = [
  new Option(
    "-f, --file <path>",
    "The Dockerfile (default: Dockerfile in the folder; - for standard input)",
  ),
  many("-t, --tag <name[:tag]>", "A name for the image; may be repeated"),
  many("--build-arg <name[=value]>", "For an ARG; without a value that of this environment"),
  many("--label <key=value>", "Of the image; may be repeated"),
  new Option("--target <stage>", "Stop after this stage"),
  new Option("--no-cache", "Carry out every step anew"),
  new Option("--pull", "Ask registries for newer images of FROM"),
  new Option("-q, --quiet", "Only the image's id"),
  new Option("--rm", "Remove containers of steps that went well").default(true),
  new Option("--force-rm", "Remove those of steps that failed too"),
  new Option("--platform <platform>", "os/architecture[/variant]"),
  new Option("--network <mode>", "Of commands: bridge, host, none, a network"),
  new Option("-m, --memory <bytes>", "Of commands"),
  new Option("--memory-swap <bytes>", "Memory and swap together; -1: any"),
  new Option("-c, --cpu-shares <weight>", "Of commands"),
  new Option("--cpu-period <microseconds>", "Of commands"),
  new Option("--cpu-quota <microseconds>", "Of commands"),
  new Option("--cpuset-cpus <list>", "Of commands: 0-2,7"),
  new Option("--cpuset-mems <list>", "Of commands: 0-2,7"),
  new Option("--cgroup-parent <path>", "Where commands have their control group"),
  new Option("--shm-size <bytes>", "Of /dev/shm of commands"),
  many("--ulimit <name=soft[:hard]>", "Of commands; may be repeated"),
  many("--add-host <name:address>", "For /etc/hosts of commands; may be repeated"),
  many("--cache-from <image>", "Steps may be taken from it; may be repeated"),
  new Option("--compress", "Pack the context on its way"),
  new Option("--disable-content-trust", "Images are not signed: without effect").default(true),
  new Option("--isolation <technology>", "default"),
  many("--security-opt <option>", "Not on Linux"),
  new Option("--squash", "Not without experimental features"),
  new Option("--iidfile <file>", "Write the image's id there"),
];

async function openSent(folder: string, { file }: BuildFlags): Promise<SentContext> {
  if (folder === STANDARD_INPUT) {
    const input = await readSentInput(process.stdin);
    if (input.kind === "archive") return { chunks: input.chunks, dockerfile: file ?? "" };
    return { chunks: packFiles(new Map([["Dockerfile", input.text]])), dockerfile: "" };
  }
  if (REMOTE.test(folder)) return { chunks: [], dockerfile: file ?? "", remote: folder };
  const isSent = file === STANDARD_INPUT;
  const sent = isSent ? await readDockerfile(process.stdin) : undefined;
  const opened = openContext(folder, isSent ? undefined : file, sent);
  return { chunks: packContext(opened.folder), dockerfile: opened.dockerfile };
}
