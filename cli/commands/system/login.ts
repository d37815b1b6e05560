import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import { findLogin, HUB, storeLogin } from "../../client/credentials.ts";
import type { Context } from "../../context.ts";
import { readSecret } from "../../flags/read-secret.ts";

interface LoginFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

interface Answer {
  readonly Status: string;
  readonly IdentityToken?: string;
}

export function addLogin(parent: Command, context: Context): void {
  parent
    .command("login")
    .description("Log in to a registry; kept where docker keeps its logins")
    .argument("[server]", "host[:port] (default: Docker Hub)")
    .option("-u, --username <name>", "Who you are there")
    .option("-p, --password <password>", "Seen by others: better --password-stdin")
    .option("--password-stdin", "The password is the first line of standard input")
    .action(async (server: string | undefined, flags: LoginFlags) => {
      const key = serverKey(server);
      checkFlags(context, flags);
      const username = flags.username ?? (await askUsername(context, findLogin(key)?.username));
      const password = flags.password ?? (await readSecret(context, "Password: "));
      if (password === "") throw new ClusterError("InvalidArgument", "cannot log in: no password");
      const body = { username, password, serveraddress: key };
      const { Status, IdentityToken = "" } = await context.client().post<Answer>("/auth", body);
      const warning = storeLogin(key, { username, password, identityToken: IdentityToken });
      if (warning !== undefined) context.warn(warning);
      context.print(`${Status}\n`);
    });
}

function checkFlags({ warn }: Context, flags: LoginFlags): void {
  const { username, password, passwordStdin = false } = flags;
  const refuse = (why: string) => new ClusterError("InvalidArgument", why);
  if (password !== undefined && passwordStdin)
    throw refuse("conflicting options: cannot specify both --password and --password-stdin");
  if (passwordStdin && username === undefined)
    throw refuse("the --password-stdin option requires --username to be set");
  if (password !== undefined)
    warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
}

/** What logins are kept under: Docker Hub's by a URL, others by their host. */
export function serverKey(server: string | undefined): string {
  const host = (server ?? "").replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
  return ["", "docker.io", "index.docker.io", "registry-1.docker.io"].includes(host) ? HUB : host;
}

async function askUsername({ warn }: Context, known = ""): Promise<string> {
  if (!process.stdin.isTTY)
    throw new ClusterError(
      "InvalidArgument",
      "cannot log in: give --username, and the password on standard input",
    );
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await lines.question(known === "" ? "Username: " : `Username (${known}): `);
    return typed.trim() || known;
  } finally {
    lines.close();
    warn("");
  }
}
