import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { EndpointTable } from "../../../proto/gen/endpoints.ts";
import type { NodeFacts, Sandbox, SandboxSpec } from "../../../worker/network/types.ts";
import type { Lab, LabHost } from "../lab/lab.ts";
import type { AgentAnswer, AgentCall } from "./agent.ts";

const AGENT = new URL("./agent.ts", import.meta.url).pathname;

/** A data plane running on a host of a lab, in a process that can be killed. */
export class TestNode {
  readonly host: LabHost;
  readonly execRoot: string;
  readonly #lab: Lab;
  readonly #waiting = new Map<number, (answer: AgentAnswer) => void>();
  #child: ChildProcess | undefined;
  #lastSequence = 0;
  /** How long the last call took inside the process. */
  tookMs = 0;

  constructor(lab: Lab, host: LabHost, execRoot: string) {
    this.#lab = lab;
    this.host = host;
    this.execRoot = execRoot;
  }

  /** Starts it; resolves when it has taken over what was left. */
  async start(): Promise<void> {
    const command = [process.execPath, "--import", "tsx", AGENT, this.execRoot];
    const child = this.#lab.spawn(this.host, command, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    if (child.stdout === null) throw new Error("the agent has no output");
    const ready = new Promise<AgentAnswer>((resolve) => this.#waiting.set(0, resolve));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const answer = JSON.parse(line) as AgentAnswer;
      this.#waiting.get(answer.sequence)?.(answer);
      this.#waiting.delete(answer.sequence);
    });
    const ended = once(child, "exit").then(() => {
      throw new Error(`the agent on ${this.host.name} ended`);
    });
    ended.catch(() => undefined);
    await Promise.race([ready, ended]);
  }

  /** As the power goes, or the daemon crashes. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  setNode(facts: NodeFacts): Promise<unknown> {
    return this.#call({ call: "setNode", facts });
  }

  applyTable(table: EndpointTable): Promise<unknown> {
    return this.#call({ call: "applyTable", table });
  }

  removeNetwork(id: string): Promise<unknown> {
    return this.#call({ call: "removeNetwork", id });
  }

  async createSandbox(spec: SandboxSpec): Promise<Sandbox> {
    return (await this.#call({ call: "createSandbox", spec })) as Sandbox;
  }

  removeSandbox(id: string): Promise<unknown> {
    return this.#call({ call: "removeSandbox", id });
  }

  async sandboxes(): Promise<readonly Sandbox[]> {
    return (await this.#call({ call: "sandboxes" })) as readonly Sandbox[];
  }

  cleanup(): Promise<unknown> {
    return this.#call({ call: "cleanup" });
  }

  /** Words that run a command in one of its sandboxes. */
  inside(sandboxId: string): string[] {
    return ["nsenter", `--net=${this.execRoot}/netns/${sandboxId}`, "--"];
  }

  async #call(call: AgentCall): Promise<unknown> {
    const sequence = ++this.#lastSequence;
    const answered = new Promise<AgentAnswer>((resolve) => this.#waiting.set(sequence, resolve));
    this.#child?.stdin?.write(`${JSON.stringify({ sequence, ...call })}\n`);
    const answer = await answered;
    this.tookMs = answer.tookMs;
    if (answer.error !== undefined)
      throw new Error(`${answer.error.code}: ${answer.error.message}`);
    return answer.result;
  }
}
