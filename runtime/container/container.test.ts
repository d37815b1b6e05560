import { expect } from "chai";
import { InvariantError } from "../../core/assert.ts";
import { ClusterError, errorCode } from "../../core/errors.ts";
import { STARTING_HEALTH } from "../health/health.ts";
import { parseCreateReport, planConmonArgs } from "./conmon-args.ts";
import { namesOf, planHosts, withHostGateway, withMovedName } from "./hosts.ts";
import {
  afterExit,
  afterFailedStart,
  afterHealth,
  afterStart,
  afterStopRequest,
  CREATED,
} from "./life.ts";
import { LOG_SLACK_BYTES } from "./log/log-files.ts";
import { containerPaths } from "./paths.ts";
import { canReadOnlyBelow, isOldRunc, parseVersion } from "./runtime-version.ts";
import { parseSignal } from "./signals.ts";
import { Turns } from "./turns.ts";
import type { ContainerId } from "./types.ts";

const PROCESS = { pid: 7, startTicks: 99 };
const ENDING = { exitCode: 1, oomKilled: false, error: "", finishedAtMs: 20 };
const RUNNING = afterStart(CREATED, {
  process: PROCESS,
  startedAtMs: 10,
  hasHealthCheck: true,
  byPolicy: false,
});

describe("container: life", () => {
  it("goes from created to running to exited and again", () => {
    const exited = afterExit(RUNNING, ENDING, false);
    expect(exited).to.include({ state: "exited", process: undefined, exitCode: 1 });
    const again = afterStart(exited, {
      process: PROCESS,
      startedAtMs: 30,
      hasHealthCheck: false,
      byPolicy: false,
    });
    const { finishedAtMs } = ENDING;
    expect(again).to.include({ state: "running", exitCode: 0, finishedAtMs });
    expect(again.health.state).to.equal("none");
  });
  it("is unhealthy once it has ended, and starting with the old results when it starts again", () => {
    const result = { startMs: 1, endMs: 2, exitCode: 0, output: "" };
    const log = [result];
    const healthy = afterHealth(RUNNING, { state: "healthy", failingStreak: 0, log });
    const exited = afterExit(healthy, ENDING, false);
    expect(exited.health).to.deep.equal({ state: "unhealthy", failingStreak: 0, log });
    const run = { process: PROCESS, startedAtMs: 30, hasHealthCheck: true, byPolicy: false };
    expect(afterStart(exited, run).health).to.deep.equal({ ...STARTING_HEALTH, log });
    const unchecked = afterStart(CREATED, { ...run, hasHealthCheck: false });
    expect(afterExit(unchecked, ENDING, false).health.state).to.equal("none");
  });
  it("stays what it was when it could not be started, with the reason", () => {
    const missing = new ClusterError("Internal", "no", { details: { exitCode: 127 } });
    const expected = { ...CREATED, exitCode: 127, error: "no" };
    expect(afterFailedStart(CREATED, missing)).to.deep.equal(expected);
    const taken = new ClusterError("Internal", "taken");
    expect(afterFailedStart(CREATED, taken).exitCode).to.equal(128);
    expect(afterFailedStart({ ...CREATED, exitCode: 137 }, taken).exitCode).to.equal(137);
  });
  it("counts the starts by its restart policy until somebody starts it", () => {
    const run = { process: PROCESS, startedAtMs: 30, hasHealthCheck: false };
    const restarting = afterExit(RUNNING, ENDING, true);
    expect(restarting.restarting).to.equal(true);
    const again = afterStart(restarting, { ...run, byPolicy: true });
    expect(again).to.include({ restartCount: 1, restarting: false });
    const ended = afterExit(again, ENDING, false);
    expect(afterStart(ended, { ...run, byPolicy: false }).restartCount).to.equal(0);
  });
  it("is not started again by itself once somebody stopped it", () => {
    const stopped = afterStopRequest(afterExit(RUNNING, ENDING, true));
    expect(stopped).to.include({ stoppedByUser: true, restarting: false });
  });
  it("cannot start while it runs, nor end or fall ill while it does not", () => {
    const run = { process: PROCESS, startedAtMs: 1, hasHealthCheck: false, byPolicy: false };
    expect(() => afterStart(RUNNING, run)).to.throw(InvariantError);
    expect(() => afterExit(CREATED, ENDING, false)).to.throw(InvariantError);
    expect(() => afterHealth(CREATED, STARTING_HEALTH)).to.throw(InvariantError);
  });
});

describe("container: signals", () => {
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["term", 15],
    ["9", 9],
    ["SIGRTMIN+3", 37],
    ["RTMAX", 64],
    ["rtmax-1", 63],
  ] as const)
    it(`${signal} is ${number}`, () => expect(parseSignal(signal)).to.equal(number));
  for (const signal of ["", "0", "65", "-9", "SIGNOPE", "9x", "SIGRTMIN+31", "SIGRTMAX-31", "1e1"])
    it(`${JSON.stringify(signal)} is none`, () =>
      expect(() => parseSignal(signal)).to.throw(ClusterError, /^invalid signal/));
});

describe("container: conmon", () => {
  const paths = containerPaths({ dataRoot: "/d", execRoot: "/e" }, "abc" as ContainerId);
  const args = (changes: object) =>
    planConmonArgs({
      id: "abc",
      name: "web",
      logTag: "t",
      paths,
      runtimePath: "/usr/sbin/runc",
      runtimeRoot: "/e/runtime",
      exitDir: "/e/exits",
      log: { kind: "file", journal: false, sizeBytesMax: 1000, filesMax: 2 },
      tty: false,
      input: { isOpen: false, endsWithClient: false },
      ...changes,
    }).join(" ");

  it("is told where everything is, and a ceiling for the log", () => {
    expect(args({})).to.include("--bundle /e/containers/abc");
    expect(args({})).to.include("--log-path k8s-file:/d/containers/abc/container.log");
    expect(args({})).to.include(`--log-size-max ${1000 + LOG_SLACK_BYTES}`);
    expect(args({})).to.not.match(/--terminal|--stdin /);
  });
  it("keeps a terminal and an open input when asked, and no log when none is wanted", () => {
    const input = (endsWithClient: boolean) => ({ isOpen: true, endsWithClient });
    expect(args({ tty: true, input: input(false) })).to.match(
      /--terminal --stdin --leave-stdin-open$/,
    );
    expect(args({ input: input(true) })).to.match(/--no-sync-log --stdin$/);
    expect(
      args({ log: { kind: "none", journal: false, sizeBytesMax: 1, filesMax: 1 } }),
    ).to.include("--log-path none");
  });

  const starting = { verb: "create", program: () => "web" } as const;
  it("reports the pid, by either name", () => {
    expect(parseCreateReport('{"pid": 42}\n', "", starting)).to.equal(42);
    expect(parseCreateReport('{"data": 42}\n', "", starting)).to.equal(42);
  });
  const failures = [
    {
      name: "runc's words without its log's dress",
      report:
        '{"pid": -1, "message": "time=\\"x\\" level=error msg=\\"exec: \\\\\\"a\\\\\\": executable file not found in $PATH\\"\\n"}',
      message: 'cannot start container: exec: "a": executable file not found in $PATH',
      exitCode: 127,
    },
    {
      name: "not executable",
      report: '{"pid": -1, "message": "permission denied"}',
      message: "cannot start container: permission denied",
      exitCode: 126,
    },
    {
      name: "conmon's own words when it said nothing",
      report: "",
      diagnostics: "[conmon:e]: no bundle\n",
      message: "cannot start container: [conmon:e]: no bundle",
      exitCode: 128,
    },
    {
      name: "not a word",
      report: "",
      message: "cannot start container: conmon ended without a word",
      exitCode: 128,
    },
    {
      name: "half a word",
      report: '{"pid": ',
      message: 'cannot start container: {"pid":',
      exitCode: 128,
    },
  ];
  for (const { name, report, diagnostics, message, exitCode } of failures)
    it(`fails with ${name}`, () => {
      let error: unknown;
      try {
        parseCreateReport(report, diagnostics ?? "", starting);
      } catch (reason) {
        error = reason;
      }
      expect(error).to.be.instanceOf(ClusterError).and.have.property("message", message);
      expect(error).to.have.nested.property("details.exitCode", exitCode);
    });
});

describe("container: small plans", () => {
  it("hosts: standard lines, then the extra ones, then its own addresses", () => {
    const lines = planHosts("web", ["10.0.0.2"], ["1.2.3.4 db"]).split("\n");
    expect(lines[0]).to.equal("127.0.0.1\tlocalhost");
    expect(lines.slice(-3)).to.deep.equal(["1.2.3.4 db", "10.0.0.2\tweb", ""]);
  });
  it("hosts: its name with its domain comes first", () => {
    const lines = planHosts(namesOf("web", "test.example"), ["10.0.0.2"], []).split("\n");
    expect(lines.at(-2)).to.equal("10.0.0.2\tweb.test.example web");
  });
  it("hosts: one it is linked to moves, whatever else its line says", () => {
    const text = "127.0.0.1\tlocalhost\n10.0.0.2\tdb host one\n10.0.0.3\tdbx one\n";
    expect(withMovedName(text, "db", "10.0.0.9")).to.equal(
      "127.0.0.1\tlocalhost\n10.0.0.9\tdb host one\n10.0.0.3\tdbx one\n",
    );
  });
  it("hosts: host-gateway is the machine's address, and an error where there is none", () => {
    const lines = ["host-gateway\there", "192.0.2.1\thost-gateway"];
    expect(withHostGateway(lines, "10.0.0.1")).to.deep.equal([
      ...["10.0.0.1\there", "192.0.2.1\thost-gateway"],
    ]);
    expect(() => withHostGateway(lines, "")).to.throw("unable to derive the IP value");
    expect(withHostGateway(lines.slice(1), "")).to.deep.equal(lines.slice(1));
  });
  const printed: [string, string, string][] = [
    [
      "runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\n",
      "1.1.5+ds1",
      "1.1.5+ds1-1+deb12u1",
    ],
    ["conmon version 2.1.6\ncommit: unknown\n", "2.1.6", ""],
    ["tini version 0.19.0 - git.de40ad0\n", "0.19.0", "de40ad0"],
    ["nothing of the kind", "", ""],
  ];
  for (const [output, version, commit] of printed)
    it(`programs: what ${output.split("\n", 1)[0]} says`, () =>
      expect(parseVersion(output)).to.deep.equal({ version, commit }));
  it("runc: old is what came before the repairs of 2025", () => {
    for (const version of ["1.1.5+ds1", "1.2.7", "1.0.0~rc93", "0.9", ""])
      expect(isOldRunc(version), version).to.equal(true);
    for (const version of ["1.2.8", "1.3.0", "1.2.10", "2.0.0"])
      expect(isOldRunc(version), version).to.equal(false);
  });
});

describe("container: mounts read-only with all below them", () => {
  const cases = [
    { name: "runc", version: "1.1.5+ds1", kernel: "6.1.0-18-amd64", can: true },
    { name: "runc", version: "1.0.3", kernel: "6.1.0", can: false },
    { name: "runc", version: "1.1.5", kernel: "5.10.0-28-amd64", can: false },
    { name: "crun", version: "1.8.1", kernel: "5.12.0", can: true },
    { name: "crun", version: "1.3", kernel: "6.1.0", can: false },
    { name: "runsc", version: "2024", kernel: "6.1.0", can: false },
  ];
  for (const { can, kernel, ...runtime } of cases)
    it(`${can ? "can" : "cannot"} be with ${runtime.name} ${runtime.version} on ${kernel}`, () =>
      expect(canReadOnlyBelow(runtime, kernel)).to.equal(can));
});

describe("container: turns", () => {
  it("lets so many work at a time, in order, and what has happened already first", async () => {
    const turns = new Turns("x", { slots: 1, waitingMax: 2 });
    const done: string[] = [];
    let release = () => {};
    const first = turns.run(() => new Promise<void>((resolve) => (release = resolve)));
    const work = (name: string) => async () => void done.push(name);
    const second = turns.run(work("second"));
    const third = turns.run(work("third"));
    const refused = await turns.run(work("fourth")).catch(errorCode);
    const urgent = turns.runFirst(work("urgent"));
    release();
    await Promise.all([first, second, third, urgent]);
    expect(refused).to.equal("ResourceExhausted");
    expect(done).to.deep.equal(["urgent", "second", "third"]);
  });
  it("gives the turn on when work fails", async () => {
    const turns = new Turns("x", { slots: 1, waitingMax: 2 });
    const failed = await turns.run(() => Promise.reject(new Error("no"))).catch(() => "failed");
    expect([failed, await turns.run(async () => "next")]).to.deep.equal(["failed", "next"]);
  });
});
