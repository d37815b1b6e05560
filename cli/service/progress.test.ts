import { expect } from "chai";
import type { WireService, WireTask } from "../client/wire.ts";
import { judgeProgress } from "./progress.ts";

const META = { Version: { Index: 1 }, UpdatedAt: "" };

function service(replicas: number, update?: { State: string; Message?: string }): WireService {
  const Spec = {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: "a" } },
    Mode: { Replicated: { Replicas: replicas } },
  };
  return {
    ...META,
    ID: "s",
    CreatedAt: "",
    Spec,
    ...(update === undefined ? {} : { UpdateStatus: update }),
  };
}

let made = 0;
function task(
  slot: number,
  state: string,
  more: { desired?: string; err?: string; message?: string } = {},
): WireTask {
  made++;
  return {
    ...META,
    ID: `t${made}`,
    CreatedAt: String(made).padStart(9, "0"),
    ServiceID: "s",
    Slot: slot,
    DesiredState: more.desired ?? "running",
    Spec: {},
    Status: { Timestamp: "", State: state, Err: more.err ?? "", Message: more.message ?? "" },
  };
}

describe("cli: progress of a service", () => {
  const failed = (slot: number) =>
    task(slot, "failed", { desired: "shutdown", err: "task: non-zero exit (1)" });
  const unplaced = { err: "no suitable node (insufficient resources on 3 nodes)" };
  const cases: {
    name: string;
    service: WireService;
    tasks: WireTask[];
    outcome: string;
    reason?: string;
  }[] = [
    {
      name: "all run",
      service: service(2),
      tasks: [task(1, "running"), task(2, "running")],
      outcome: "converged",
    },
    { name: "none wanted", service: service(0), tasks: [], outcome: "converged" },
    {
      name: "one starts",
      service: service(2),
      tasks: [task(1, "running"), task(2, "starting")],
      outcome: "pending",
    },
    {
      name: "one is not there yet",
      service: service(2),
      tasks: [task(1, "running")],
      outcome: "pending",
    },
    {
      name: "one too many still runs",
      service: service(1),
      tasks: [task(1, "running"), task(2, "running", { desired: "shutdown" })],
      outcome: "pending",
    },
    {
      name: "the old one failed, the new one runs",
      service: service(1),
      tasks: [failed(1), task(1, "running")],
      outcome: "converged",
    },
    {
      name: "an update goes on",
      service: service(1, { State: "updating" }),
      tasks: [task(1, "running")],
      outcome: "pending",
    },
    {
      name: "no node takes it",
      service: service(1),
      tasks: [task(1, "pending", unplaced)],
      outcome: "unplaceable",
      reason: unplaced.err,
    },
    {
      name: "it fails again and again",
      service: service(1),
      tasks: [failed(1), failed(1), failed(1), task(1, "ready")],
      outcome: "failing",
      reason: "task: non-zero exit (1)",
    },
    {
      name: "it failed twice",
      service: service(1),
      tasks: [failed(1), failed(1), task(1, "ready")],
      outcome: "pending",
    },
    {
      name: "the update paused",
      service: service(1, { State: "paused", Message: "why" }),
      tasks: [],
      outcome: "paused",
      reason: "why",
    },
    {
      name: "it was rolled back",
      service: service(1, { State: "rollback_completed", Message: "m" }),
      tasks: [],
      outcome: "rolledBack",
      reason: "m",
    },
  ];
  for (const { name, service, tasks, outcome, reason = "" } of cases) {
    it(`is ${outcome} when ${name}`, () => {
      const progress = judgeProgress(service, tasks, []);
      expect({ outcome: progress.outcome, reason: progress.reason }).to.deep.equal({
        outcome,
        reason,
      });
    });
  }
});
