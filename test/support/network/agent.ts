import { createInterface } from "node:readline";
import { errorCode, errorMessage } from "../../../core/errors.ts";
import { newLog } from "../../../core/log.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { systemRandom } from "../../../core/system-random.ts";
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import { HostPorts } from "../../../runtime/network/ports/host-ports.ts";
import { EPHEMERAL_PORTS } from "../../../runtime/network/ports/port-choice.ts";
import { portSockets } from "../../../runtime/network/ports/port-sockets.ts";
import { Network } from "../../../worker/network/network.ts";
import type { NodeFacts, SandboxSpec } from "../../../worker/network/types.ts";

/**
 * A node's data plane as a program of its own, as it is inside musterd: one request per line in, one answer per line out.
 * The first argument is the exec root.
 */

/** What a test can ask for. */
export type AgentCall =
  | { readonly call: "setNode"; readonly facts: NodeFacts }
  | { readonly call: "applyTable"; readonly table: unknown }
  | { readonly call: "removeNetwork"; readonly id: string }
  | { readonly call: "createSandbox"; readonly spec: SandboxSpec }
  | { readonly call: "removeSandbox"; readonly id: string }
  | { readonly call: "sandboxes" | "tableVersions" | "close" | "cleanup" };

export interface AgentAnswer {
  readonly sequence: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  /** Time of the call itself. */
  readonly tookMs: number;
}

async function perform(network: Network, call: AgentCall): Promise<unknown> {
  switch (call.call) {
    case "setNode":
      return network.setNode(call.facts);
    case "applyTable":
      return network.applyTable(EndpointTable.fromPartial(call.table as EndpointTable));
    case "removeNetwork":
      return network.removeNetwork(call.id);
    case "createSandbox":
      return network.createSandbox(call.spec);
    case "removeSandbox":
      return network.removeSandbox(call.id);
    case "sandboxes":
      return network.sandboxes();
    case "tableVersions":
      return network.tableVersions();
    case "close":
      return network.close();
    case "cleanup":
      return network.cleanup();
  }
}

async function main(): Promise<void> {
  const execRoot = process.argv[2] ?? "";
  const log = newLog("warn");
  const hostPorts = new HostPorts(portSockets, EPHEMERAL_PORTS);
  const network = await Network.open({
    ...{ execRoot, hostPorts, log },
    ...{ clock: systemClock, random: systemRandom },
  });
  process.stdout.write(`${JSON.stringify({ sequence: 0, tookMs: 0 })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { sequence, ...call } = JSON.parse(line) as AgentCall & { readonly sequence: number };
    const start = performance.now();
    void perform(network, call as AgentCall)
      .then(
        (result) => ({ result }),
        (error: unknown) => ({ error: { code: errorCode(error), message: errorMessage(error) } }),
      )
      .then((outcome) => {
        const answer: AgentAnswer = { sequence, ...outcome, tookMs: performance.now() - start };
        process.stdout.write(`${JSON.stringify(answer)}\n`);
      });
  }
  process.exit(0);
}

await main();
