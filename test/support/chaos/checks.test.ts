import { expect } from "chai";
import { checkAlive, checkSame } from "./checks.ts";
import { type RunningContainer, startOf } from "./containers.ts";
import type { Fault } from "./plan.ts";

const FAULT: Fault = { kind: "kill", role: "leader", forMs: 1_000 };
/** No process has it: the greatest id there can be is less. Source: proc(5), pid_max. */
const NO_PID = 2 ** 22 + 1;

describe("chaos: checks", () => {
  const alive: RunningContainer = {
    taskId: "t1",
    nodeId: "n1",
    containerId: "c1",
    pid: process.pid,
    startedAt: startOf(process.pid),
  };
  const other = { ...alive, pid: process.ppid, startedAt: startOf(process.ppid) };
  const ended = { ...alive, pid: NO_PID, startedAt: "1" };
  const none = new Set<string>();
  const by = (container: RunningContainer) => new Map([[container.taskId, container]]);
  const same = (before: RunningContainer, after: RunningContainer | undefined, exempt = none) =>
    checkSame(by(before), after === undefined ? new Map() : by(after), { exempt, during: "x" });

  it("a container is the same when its process is", () => {
    expect(() => same(alive, alive)).not.to.throw();
    expect(() => same(alive, other)).to.throw("x: task t1 on node n1 was restarted");
    expect(() => same(alive, { ...alive, startedAt: "1" })).to.throw("was restarted");
    expect(() => same(alive, undefined)).to.throw("was restarted");
  });

  it("one on a node that was cut off may be replaced, when the old one has ended", () => {
    expect(() => same(ended, undefined, new Set(["n1"]))).not.to.throw();
    expect(() => same(alive, undefined, new Set(["n1"]))).to.throw("was replaced and runs");
    expect(() => same(ended, undefined, new Set(["n2"]))).to.throw("was restarted");
  });

  it("nobody's container ends while a fault lasts", () => {
    expect(() => checkAlive([alive], { exempt: none, during: FAULT })).not.to.throw();
    expect(() => checkAlive([alive, ended], { exempt: none, during: FAULT })).to.throw(
      "during kill -9 of the leader's daemon, back after 1000 ms: task t1 was ended",
    );
    const exempt = new Set(["n1"]);
    expect(() => checkAlive([ended], { exempt, during: FAULT })).not.to.throw();
  });
});
