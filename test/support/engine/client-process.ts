import { type ChildProcess, spawn } from "node:child_process";
import { eventually } from "../eventually.ts";

const WAIT_MS = 30_000;

/** A client that runs with pipes for its streams. */
export class ClientProcess {
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(path: string, args: readonly string[]) {
    this.#child = spawn(path, args, { stdio: "pipe" });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString("utf8");
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString("utf8");
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async writes(pattern: RegExp): Promise<void> {
    await eventually(
      `the client writes ${pattern}`,
      () => pattern.test(this.#stdout),
      WAIT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${this.#stdout}${this.#stderr}`);
    });
  }

  /** Its exit code, once all it wrote has been read; null when a signal ended it. */
  async end(): Promise<number | null> {
    const { stdout } = this.#child;
    const hasEnded = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await eventually("the client ends", () => hasEnded() && stdout?.closed !== false, WAIT_MS);
    return this.#child.exitCode;
  }
}
