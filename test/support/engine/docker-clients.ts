import { eventually } from "../eventually.ts";
import { ClientProcess } from "./client-process.ts";
import type { EngineHost } from "./engine-host.ts";
import { Terminal } from "./terminal.ts";

const GONE_MS = 30_000;

/** The stock docker command line of a host as a program that runs on: beside the test, or on a terminal. */
export function dockerClients(host: () => EngineHost) {
  const address = () => ["-H", `unix://${host().node.socket}`];
  const words = (args: readonly string[]) => [...address(), ...args];
  return {
    /** How it is told which daemon is meant. */
    address,
    client: (...args: string[]) => new ClientProcess(host().cli, words(args)),
    terminal: (...args: string[]) =>
      new Terminal([host().cli, ...words(args)].map((word) => `'${word}'`).join(" ")),
    isRunning: async (name: string) =>
      (await host().mustDocker("inspect", "-f", "{{.State.Running}}", name)) === "true",
    isGone: (name: string) =>
      eventually(
        `${name} is gone`,
        async () => (await host().docker("inspect", "--type", "container", name)).code !== 0,
        GONE_MS,
      ),
  };
}
