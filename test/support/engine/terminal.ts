import { type ChildProcess, spawn } from "node:child_process";
import { eventually } from "../eventually.ts";

const WAIT_MS = 30_000;

/** A command on a terminal of its own, of 30 rows and 90 columns, and a person who types. */
export class Terminal {
  readonly #script: ChildProcess;
  #text = "";

  /** @param command a line for a shell. */
  constructor(command: string) {
    const setUp = `stty rows 30 cols 90; echo "terminal=$(tty)"; exec ${command}`;
    this.#script = spawn("script", ["-qec", setUp, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, SHELL: "/bin/sh" },
    });
    this.#script.stdout?.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("utf8");
    });
  }

  /** All that stood on it. */
  get text(): string {
    return this.#text;
  }

  type(keys: string): void {
    this.#script.stdin?.write(keys);
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(
      `the terminal shows ${pattern}`,
      () => pattern.test(this.#text),
      WAIT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it shows ${JSON.stringify(this.#text)}`);
    });
  }

  /** As when somebody pulls at the window's corner. */
  async resize(rows: number, columns: number): Promise<void> {
    await this.shows(/terminal=\/dev\/pts\/\d+/);
    const [, path = ""] = /terminal=(\/dev\/pts\/\d+)/.exec(this.#text) ?? [];
    const stty = spawn("stty", ["-F", path, "rows", `${rows}`, "cols", `${columns}`]);
    await new Promise((resolve) => stty.once("close", resolve));
  }

  /** The command's exit code, when it has ended. */
  async end(): Promise<number | null> {
    await eventually("the command ends", () => this.#script.exitCode !== null, WAIT_MS);
    return this.#script.exitCode;
  }

  close(): void {
    this.#script.kill("SIGKILL");
  }
}
