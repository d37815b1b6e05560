import { expect } from "chai";
import { askJson } from "../ask.ts";
import { type Cluster, startDaemons } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { debianDockerCli } from "../docker-cli.ts";
import { busyboxImage } from "../image-builder.ts";
import type { CommandResult } from "../lab/lab.ts";

/** One real `musterd` in no swarm, with busybox, and the stock docker command line. */
export interface EngineHost {
  readonly cluster: Cluster;
  readonly node: TestNode;
  /** Path of the stock CLI in use; Debian's unless changed. */
  cli: string;
  /** Runs the stock CLI. A code other than 0 is a result. */
  docker(...args: string[]): Promise<CommandResult>;
  /** The same, for what must succeed. @returns standard output, trimmed. */
  mustDocker(...args: string[]): Promise<string>;
  /** The same, for what must fail. @returns standard error, trimmed. */
  failDocker(...args: string[]): Promise<string>;
  /** One request as any client sends it: `GET /containers/json`. */
  ask(
    operation: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly json: unknown }>;
  close(): Promise<void>;
}

/** Starts one; `name` is the lab's, one at a time. @param flags more of `musterd`'s. */
export async function startEngineHost(
  name: string,
  flags: readonly string[] = [],
): Promise<EngineHost> {
  const archive = await busyboxImage();
  const cli = await debianDockerCli();
  const cluster = await startDaemons({ name, managers: 1, workers: 0, flags: () => flags });
  const [node] = cluster.nodes as [TestNode];
  const docker = (...args: string[]) =>
    cluster.lab.exec(node.host, [host.cli, "-H", `unix://${node.socket}`, ...args]);
  const mustDocker = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(...args);
    expect(code, `docker ${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    return stdout.trim();
  };
  const failDocker = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(...args);
    expect(code, `docker ${args.join(" ")}\n${stdout}${stderr}`).to.not.equal(0);
    return stderr.trim();
  };
  const host: EngineHost = {
    cluster,
    node,
    cli,
    docker,
    mustDocker,
    failDocker,
    ask: (operation, body) => askJson(node.socket, operation, body),
    close: () => cluster.close(),
  };
  await mustDocker("load", "-q", "-i", archive);
  return host;
}
