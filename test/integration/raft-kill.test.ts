import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Member } from "../../manager/log/replicated-log.ts";
import { eventually } from "../support/eventually.ts";
import type { MemberReply, MemberRequest } from "../support/raft/member-process.ts";

const PROGRAM = fileURLToPath(new URL("../support/raft/member-process.ts", import.meta.url));
const WRITERS = 8;
const KILLS = 3;

/** A member in a process of its own. */
class MemberProcess {
  readonly #dir: string;
  readonly #raftId: number;
  readonly #waiting = new Map<number, (reply: unknown) => void>();
  #child: ChildProcess | undefined;
  #lastId = 0;
  member: Member | undefined;

  constructor(root: string, raftId: number) {
    this.#dir = join(root, String(raftId));
    this.#raftId = raftId;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves once it takes part. */
  async start(how: "bootstrap" | "join" | "restart"): Promise<void> {
    const port = this.member?.addr.split(":").at(-1) ?? "0";
    const args = [this.#dir, String(this.#raftId), port, how];
    const child = fork(PROGRAM, args, { execArgv: ["--import", "tsx"] });
    this.#child = child;
    child.on("message", ({ id, reply }: { id: number; reply: unknown }) => {
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    });
    this.member = await new Promise<Member>((resolve) => {
      this.#waiting.set(0, (member) => resolve(member as Member));
    });
  }

  async ask(request: MemberRequest): Promise<MemberReply> {
    const child = this.#child;
    if (child === undefined) return { ok: false, code: "Unavailable" };
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve as (reply: unknown) => void);
      child.send({ id, request }, (error) => {
        if (error !== null) resolve({ ok: false, code: "Unavailable" });
      });
    });
  }

  /** `kill -9`; what was asked and not answered never is. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    for (const resolve of this.#waiting.values()) resolve({ ok: false, code: "Unavailable" });
    this.#waiting.clear();
  }
}

describe("raft log: kill -9", function () {
  this.timeout(60_000);

  let root: string;
  let processes: MemberProcess[] = [];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "muster-kill-"));
    processes = [1, 2, 3].map((raftId) => new MemberProcess(root, raftId));
  });
  afterEach(async () => {
    for (const process of processes) await process.kill();
    await rm(root, { recursive: true, force: true });
  });

  async function findLeader(): Promise<MemberProcess | undefined> {
    for (const process of processes) {
      const reply = await process.ask({ kind: "look" });
      if (reply.ok && reply.isLeader) return process;
    }
    return undefined;
  }

  it("loses no acknowledged write when leaders are killed while many write", async () => {
    const [first, ...others] = processes;
    await first?.start("bootstrap");
    await eventually("the first leads", async () => (await findLeader()) === first);
    for (const other of others) {
      await other.start("join");
      if (other.member !== undefined) await first?.ask({ kind: "addMember", member: other.member });
    }

    const acknowledged: string[] = [];
    let isWriting = true;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; isWriting; n++) {
        const value = `${writer}-${n}`;
        const leader = await findLeader();
        const reply = await leader?.ask({ kind: "propose", value });
        if (reply?.ok) acknowledged.push(value);
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));

    for (let kill = 0; kill < KILLS; kill++) {
      const before = acknowledged.length;
      await eventually("writes go on", () => acknowledged.length > before + 100, 15_000);
      const leader = await findLeader();
      await leader?.kill();
      await leader?.start("restart");
    }
    isWriting = false;
    await Promise.all(writers);

    for (const process of processes) {
      await eventually(
        "everything acknowledged is there",
        async () => {
          const reply = await process.ask({ kind: "look" });
          const found = new Set(reply.ok ? reply.entries : []);
          return acknowledged.every((value) => found.has(value));
        },
        15_000,
      );
    }
    expect(acknowledged.length).to.be.greaterThan(KILLS * 100);
  });
});
