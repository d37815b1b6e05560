import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { processesNaming } from "../processes.ts";

const SCRIPT = join(import.meta.dirname, "undertaker-main.ts");
/** As long as removing a cluster may take. */
const WORK_MS = 60_000;

/** Removes a cluster when the process that made it has ended without doing so, even by `kill -9`. */
export interface Undertaker {
  /** There is nothing left to do. */
  dismiss(): void;
}

/** Starts one for the cluster of that name, which is made after it. One that still works for an earlier run is waited for. */
export async function hireUndertaker(name: string): Promise<Undertaker> {
  const others = () => processesNaming(`${SCRIPT} ${name} `);
  await eventually(`the cluster ${name} of another run ends`, () => others().length === 0, WORK_MS);
  // A session of its own: signals for this process and its group do not reach it.
  const child = spawn(process.execPath, ["--import", "tsx", SCRIPT, name], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.unref();
  // Its input ends with us. It may end before us, too.
  child.stdin.on("error", () => undefined);
  if (child.stdin instanceof Socket) child.stdin.unref();
  return { dismiss: () => void child.kill("SIGKILL") };
}
