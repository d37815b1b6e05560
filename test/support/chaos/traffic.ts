import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import type { TrafficResult } from "./traffic-main.ts";

const SCRIPT = join(import.meta.dirname, "traffic-main.ts");

/** Requests to a published port of all nodes, from a process on the host outside of the swarm. */
export class Traffic {
  readonly #child: ChildProcess;
  #text = "";

  constructor({ lab, outside, nodes }: Cluster, port: number) {
    const urls = nodes.map((node) => `http://${node.host.ip}:${port}/`);
    const command = [process.execPath, "--import", "tsx", SCRIPT, ...urls];
    this.#child = lab.spawn(outside, command, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("utf8");
    });
  }

  async stop(): Promise<TrafficResult> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    await ended;
    return JSON.parse(this.#text) as TrafficResult;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
