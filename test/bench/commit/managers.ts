import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import type { ManagerNews } from "./manager-main.ts";

const MAIN = join(import.meta.dirname, "manager-main.ts");
/** Node's arguments for a process of the bench: TypeScript of its own, the product as it was built. */
export const RUN_BUILT = ["--import", "tsx", "--import", join(import.meta.dirname, "built.ts")];

/** Three managers of one swarm on loopback, each a process of its own. */
export class Managers {
  readonly #managers: ManagerProcess[] = [];

  static async start(count: number): Promise<Managers> {
    const managers = new Managers();
    try {
      const first = await managers.#add([]);
      for (let i = 1; i < count; i++) await managers.#add([first.addr, first.managerToken]);
      await eventually("all managers vote", async () => {
        for (const manager of managers.#managers) manager.ask();
        return managers.#managers.every(({ news }) => news?.voters === count);
      });
      return managers;
    } catch (error) {
      await managers.close();
      throw error;
    }
  }

  get pids(): readonly number[] {
    return this.#managers.map(({ pid }) => pid);
  }

  /** What the manager that leads now says of itself. */
  async leader(): Promise<ManagerNews> {
    const leading = () => this.#managers.find(({ news }) => news?.isLeader)?.news;
    await eventually("a manager leads", () => leading() !== undefined);
    const news = leading();
    if (news === undefined) throw new Error("no manager leads");
    return news;
  }

  async close(): Promise<void> {
    await Promise.all(this.#managers.map((manager) => manager.close()));
  }

  async #add(args: readonly string[]): Promise<ManagerNews> {
    const manager = new ManagerProcess(args);
    this.#managers.push(manager);
    await eventually("a manager starts", () => manager.news !== undefined, 20_000);
    return manager.news as ManagerNews;
  }
}

class ManagerProcess {
  readonly #child: ChildProcess;
  news: ManagerNews | undefined;

  constructor(args: readonly string[]) {
    const execArgv = [...RUN_BUILT, ...(process.env.BENCH_NODE_FLAGS?.split(" ") ?? [])];
    this.#child = fork(MAIN, args, { execArgv });
    this.#child.on("message", (news: ManagerNews) => {
      this.news = news;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(): void {
    this.#child.send("ask");
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}
