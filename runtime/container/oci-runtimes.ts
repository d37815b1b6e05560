import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import { OciRuntime, type RuntimeProgram } from "./oci-runtime.ts";

/** Docker's second name for runc, which its clients send back to it. */
const RUNC_ALIAS = "io.containerd.runc.v2";

/**
 * The OCI runtimes of this machine. Each keeps its state in a directory of its own, so that what a container was made with is
 * known without its record.
 */
export class OciRuntimes {
  readonly defaultName: string;
  readonly #root: string;
  readonly #runtimes: ReadonlyMap<string, OciRuntime>;

  /** @param programs the default first. */
  constructor(
    programs: readonly [RuntimeProgram, ...RuntimeProgram[]],
    root: string,
    kernel: string,
    clock: Clock,
  ) {
    this.defaultName = programs[0].name;
    this.#root = root;
    this.#runtimes = new Map(
      programs.map((program) => [
        program.name,
        new OciRuntime(program, { root: join(root, program.name), kernel, clock }),
      ]),
    );
  }

  /** Every name a container may ask for, the default first. */
  names(): readonly string[] {
    const names = [...this.#runtimes.keys()];
    return names.includes("runc") ? [...names, RUNC_ALIAS] : names;
  }

  /**
   * @param name empty: the default.
   * @throws {ClusterError} FailedPrecondition when this machine has it no more.
   */
  get(name: string): OciRuntime {
    const known = name === "" ? this.defaultName : name === RUNC_ALIAS ? "runc" : name;
    const runtime = this.#runtimes.get(known);
    if (runtime !== undefined) return runtime;
    throw new ClusterError(
      "FailedPrecondition",
      `the OCI runtime ${name} is not on this machine any more: install it and start musterd again, or make the container anew`,
    );
  }

  /** Ids of the containers that any of them knows. */
  containers(): string[] {
    return this.#stateDirs().flatMap((dir) => readdirSync(dir));
  }

  /** Has whoever knows the container forget it. No error when nobody does. */
  async forget(id: string): Promise<void> {
    for (const dir of this.#stateDirs()) {
      if (!existsSync(join(dir, id))) continue;
      await [...this.#runtimes.values()].find(({ root }) => root === dir)?.forget(id);
      await rm(join(dir, id), { recursive: true, force: true });
    }
  }

  #stateDirs(): string[] {
    if (!existsSync(this.#root)) return [];
    return readdirSync(this.#root).map((name) => join(this.#root, name));
  }
}
