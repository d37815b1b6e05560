import type { Command } from "commander";
import { eraseLogin } from "../../client/credentials.ts";
import type { Context } from "../../context.ts";
import { serverKey } from "./login.ts";

export function addLogout(parent: Command, context: Context): void {
  parent
    .command("logout")
    .description("Forget the login to a registry")
    .argument("[server]", "host[:port] (default: Docker Hub)")
    .action((server: string | undefined) => {
      const key = serverKey(server);
      const words = eraseLogin(key) ? "Removing login credentials for" : "Not logged in to";
      context.print(`${words} ${key}\n`);
    });
}
