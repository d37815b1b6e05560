import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { packageVersion } from "../../../core/version.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { compileTemplate } from "../../template/template.ts";

const API_VERSION = "1.51";
/** Go's words for what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

type ClientVersion = Pick<ServerVersion, "Version" | "ApiVersion" | "Os" | "Arch">;

interface ServerVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly KernelVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

export function addVersion(parent: Command, context: Context): void {
  const clientVersion = packageVersion();
  parent
    .command("version")
    .description("Show the versions of client and daemon")
    .option("-f, --format <format>", "json or a Go template")
    .action(async (options: { format?: string }) => {
      const client = {
        Version: clientVersion,
        ApiVersion: API_VERSION,
        Os: process.platform,
        Arch: ARCHITECTURES[process.arch] ?? process.arch,
      };
      const { server, error } = await askServer(context);
      const all = { Client: client, Server: server ?? null };
      if (options.format === "json") context.print(`${JSON.stringify(all)}\n`);
      else if (options.format !== undefined)
        context.print(`${compileTemplate(options.format)(byGoNames(all))}\n`);
      else context.print(prettyVersion(client, server));
      if (error === undefined) return;
      context.warn(`${error}\n`);
      throw new ExitError(ExitCode.Error);
    });
}

/** The client's half is shown even when no daemon answers. */
async function askServer({ client }: Context): Promise<{ server?: ServerVersion; error?: string }> {
  try {
    return { server: await client().get<ServerVersion>("/version") };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return { error: errorMessage(error) };
  }
}

/** Templates ask for the field, which JSON calls otherwise. */
function byGoNames({ Client, Server }: { Client: ClientVersion; Server: ServerVersion | null }) {
  return {
    Client: { ...Client, APIVersion: Client.ApiVersion },
    Server: Server === null ? null : { ...Server, APIVersion: Server.ApiVersion },
  };
}

/** Source: docker/cli, command/system/version.go. */
export function prettyVersion(client: ClientVersion, server: ServerVersion | undefined): string {
  const own = `Client: Muster
 Version:           ${client.Version}
 API version:       ${client.ApiVersion}
 OS/Arch:           ${client.Os}/${client.Arch}
`;
  if (server === undefined) return own;
  return `${own}
Server: Muster
 Engine:
  Version:          ${server.Version}
  API version:      ${server.ApiVersion} (minimum version ${server.MinAPIVersion})
  Git commit:       ${server.GitCommit}
  OS/Arch:          ${server.Os}/${server.Arch}
  Kernel:           ${server.KernelVersion}
`;
}
