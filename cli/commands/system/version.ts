import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { packageVersion } from "../../../core/version.ts";
import { API_VERSION } from "../../client/api-version.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { compileTemplate } from "../../template/template.ts";

/** Go's words for what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

interface ClientVersion {
  readonly Version: string;
  /** What is spoken with the daemon. */
  readonly ApiVersion: string;
  /** The newest that we know. */
  readonly DefaultAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

interface ServerVersion extends Omit<ClientVersion, "DefaultAPIVersion"> {
  readonly Platform?: { readonly Name: string };
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly KernelVersion: string;
}

export function addVersion(parent: Command, context: Context): void {
  const clientVersion = packageVersion();
  parent
    .command("version")
    .description("Show the versions of client and daemon")
    .option("-f, --format <format>", "json or a Go template")
    .action(async (options: { format?: string }) => {
      const { server, error } = await askServer(context);
      const client = {
        Version: clientVersion,
        ApiVersion: server === undefined ? API_VERSION : context.client().version,
        DefaultAPIVersion: API_VERSION,
        Os: process.platform,
        Arch: ARCHITECTURES[process.arch] ?? process.arch,
      };
      const all = { Client: client, Server: server ?? null };
      if (options.format === "json") context.print(`${JSON.stringify(all)}\n`);
      else if (options.format !== undefined) {
        const template = compileTemplate(options.format, { missing: "cannot be printed" });
        context.print(`${template(byGoNames(all))}\n`);
      } else context.print(prettyVersion(client, server));
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
  const { ApiVersion, DefaultAPIVersion } = client;
  const from = ApiVersion === DefaultAPIVersion ? "" : ` (downgraded from ${DefaultAPIVersion})`;
  const own = `Client: Muster
 Version:           ${client.Version}
 API version:       ${ApiVersion}${from}
 OS/Arch:           ${client.Os}/${client.Arch}
`;
  if (server === undefined) return own;
  const platform = server.Platform?.Name ?? "";
  const commit = server.GitCommit === "" ? "" : `  Git commit:       ${server.GitCommit}\n`;
  return `${own}
Server:${platform === "" ? "" : ` ${platform}`}
 Engine:
  Version:          ${server.Version}
  API version:      ${server.ApiVersion} (minimum version ${server.MinAPIVersion})
${commit}  OS/Arch:          ${server.Os}/${server.Arch}
  Kernel:           ${server.KernelVersion}
${(server.Components ?? [])
  .filter(({ Name }) => Name !== "Engine")
  .map(componentLines)
  .join("")}`;
}

function componentLines({ Name, Version }: { Name: string; Version: string }): string {
  return ` ${Name}:\n  Version:          ${Version}\n`;
}
