import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { packageVersion } from "../../../core/version.ts";
import { type Context, ExitCode, ExitError } from "../../context.ts";
import { compileTemplate } from "../../template/template.ts";

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
        ApiVersion: "1.51",
        Os: process.platform,
        Arch: process.arch,
      };
      const { server, error } = await askServer(context);
      const all = { Client: client, Server: server ?? null };
      if (options.format === "json") context.print(`${JSON.stringify(all)}\n`);
      else if (options.format !== undefined)
        context.print(`${compileTemplate(options.format)(all)}\n`);
      else context.print(prettyVersion(clientVersion, server));
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

function prettyVersion(clientVersion: string, server: ServerVersion | undefined): string {
  const own = `Client: Muster\n Version:\t${clientVersion}\n API version:\t1.51\n OS/Arch:\t${process.platform}/${process.arch}\n`;
  if (server === undefined) return own;
  return `${own}
Server: Muster
 Version:\t${server.Version}
 API version:\t${server.ApiVersion} (minimum version ${server.MinAPIVersion})
 Git commit:\t${server.GitCommit}
 OS/Arch:\t${server.Os}/${server.Arch}
 Kernel:\t${server.KernelVersion}
`;
}
