import { expect } from "chai";
import { ServiceRevision, Task, TaskSpec, TaskState, TaskStatus } from "../../proto/gen/objects.ts";
import type { ContainerId } from "../../runtime/container/types.ts";
import { stepTask } from "./controller.ts";
import { PREPARE_TRIES_MAX } from "./observe.ts";
import type { TaskEvent } from "./task-event.ts";
import { type TaskFile, taskFiles } from "./task-files.ts";
import {
  type AssignedTask,
  newTaskModel,
  type ObservedContainer,
  type TaskModel,
} from "./task-model.ts";

const ID = "c0ffee" as ContainerId;
const SANDBOX = { id: "task", path: "/run/netns/task", resolvConf: "", addresses: [] };

function assignment(desiredState: TaskState, startAfterMs = 0, createdAtMs = 0): AssignedTask {
  const task = Task.fromPartial({
    meta: { createdAtMs },
    id: "task",
    serviceId: "web",
    slot: 1,
    desiredState,
    startAfterMs,
  });
  const spec = TaskSpec.fromPartial({ container: { image: "nginx" } });
  return { task, serviceName: "web", revision: ServiceRevision.create(), spec };
}

function container(change: Partial<ObservedContainer> = {}): ObservedContainer {
  const observed = { exitCode: 0, oomKilled: false, health: "none" as const, healthOutput: "" };
  return { id: ID, state: "running", pid: 7, ...observed, ...change };
}

const ASSIGN: TaskEvent = { kind: "assigned", assignment: assignment(TaskState.RUNNING) };
const SHUTDOWN: TaskEvent = { kind: "assigned", assignment: assignment(TaskState.SHUTDOWN) };
const REMOVE: TaskEvent = { kind: "assigned", assignment: assignment(TaskState.REMOVE) };
const UNWANTED: TaskEvent = { kind: "unwanted" };
const PULLED: TaskEvent = { kind: "done", result: { effect: "pull" } };
const SANDBOXED: TaskEvent = {
  kind: "done",
  result: { effect: "createSandbox", sandbox: SANDBOX },
};
const CREATED: TaskEvent = {
  kind: "done",
  result: { effect: "createContainer", container: container({ state: "created", pid: 0 }) },
};
const STARTED: TaskEvent = {
  kind: "done",
  result: { effect: "startContainer", container: container() },
};
const STOPPED = stopped("");
const NO_CONTAINER: TaskEvent = { kind: "done", result: { effect: "removeContainer" } };
const NO_SANDBOX: TaskEvent = { kind: "done", result: { effect: "removeSandbox" } };
const RUNNING = [ASSIGN, PULLED, SANDBOXED, CREATED, STARTED];

function stopped(healthOutput: string): TaskEvent {
  const exit = container({ state: "exited", exitCode: 143, healthOutput });
  return { kind: "done", result: { effect: "stopContainer", container: exit } };
}

function exited(exitCode: number, oomKilled = false): TaskEvent {
  return { kind: "container", container: container({ state: "exited", exitCode, oomKilled }) };
}

function healthy(health: ObservedContainer["health"], healthOutput = ""): TaskEvent {
  return { kind: "container", container: container({ health, healthOutput }) };
}

function failed(
  effect: Extract<TaskEvent, { kind: "failed" }>["failure"]["effect"],
  code: Extract<TaskEvent, { kind: "failed" }>["failure"]["code"],
): TaskEvent {
  return { kind: "failed", failure: { effect, code, message: `${effect} went wrong`, jitter: 0 } };
}

function startedWithHealth(health: ObservedContainer["health"]): TaskEvent {
  return { kind: "done", result: { effect: "startContainer", container: container({ health }) } };
}

/** What the last event led to: state and deed, as one line. */
function outcome(events: readonly TaskEvent[], from?: TaskModel): string {
  let task = from ?? newTaskModel(assignment(TaskState.RUNNING), TaskStatus.create());
  let line = "";
  let nowMs = 1_000;
  for (const event of events) {
    const before = task.status.state;
    const step = stepTask(task, event, nowMs);
    expect(step.task.status.state).to.be.at.least(before);
    task = step.task;
    const { state, err } = task.status;
    const name = Object.entries(TaskState).find(([, value]) => value === state)?.[0] ?? "";
    const deed = step.forget ? "forget" : step.cancel ? "cancel" : (step.effect?.kind ?? "-");
    const wake = step.wakeAtMs === undefined ? "" : ` wake ${step.wakeAtMs}`;
    line = `${name} ${deed}${wake}${err === "" ? "" : ` (${err})`}`;
    nowMs += 100_000;
  }
  return line;
}

function assignedAt(state: TaskState): TaskEvent {
  const { task, ...rest } = assignment(TaskState.RUNNING);
  const status = TaskStatus.create({ state });
  return { kind: "assigned", assignment: { ...rest, task: { ...task, status } } };
}

function lost(state: TaskState, observed?: ObservedContainer): TaskModel {
  return newTaskModel(assignment(TaskState.RUNNING), TaskStatus.create({ state }), observed);
}

describe("worker: task controller", () => {
  const cases: { name: string; events: TaskEvent[]; expected: string; from?: TaskModel }[] = [
    { name: "accepts and pulls", events: [ASSIGN], expected: "PREPARING pull" },
    {
      name: "then makes the network",
      events: [ASSIGN, PULLED],
      expected: "PREPARING createSandbox",
    },
    {
      name: "then the container",
      events: RUNNING.slice(0, 3),
      expected: "PREPARING createContainer",
    },
    { name: "then starts it", events: RUNNING.slice(0, 4), expected: "STARTING startContainer" },
    { name: "runs without a health check at once", events: RUNNING, expected: "RUNNING -" },
    {
      name: "waits for health before it runs",
      events: [...RUNNING.slice(0, 4), startedWithHealth("starting")],
      expected: "STARTING -",
    },
    {
      name: "runs when healthy",
      events: [...RUNNING.slice(0, 4), startedWithHealth("starting"), healthy("healthy")],
      expected: "RUNNING -",
    },
    {
      name: "is stopped when unhealthy",
      events: [...RUNNING, healthy("unhealthy", "no answer\n")],
      expected: "RUNNING stopContainer",
    },
    {
      name: "fails with the health check's output",
      events: [...RUNNING, healthy("unhealthy"), stopped("no answer\n")],
      expected: "FAILED removeSandbox (unhealthy container: no answer)",
    },
    {
      name: "a health check that fails while it is stopped on purpose is no failure",
      events: [...RUNNING, SHUTDOWN, healthy("unhealthy"), STOPPED],
      expected: "SHUTDOWN removeSandbox",
    },
    {
      name: "is complete at exit 0",
      events: [...RUNNING, exited(0)],
      expected: "COMPLETE removeSandbox",
    },
    {
      name: "fails at another exit",
      events: [...RUNNING, exited(3)],
      expected: "FAILED removeSandbox (task: non-zero exit (3))",
    },
    {
      name: "names the lack of memory",
      events: [...RUNNING, exited(137, true)],
      expected: "FAILED removeSandbox (task: non-zero exit (137): out of memory)",
    },
    {
      name: "keeps the container of an ended task",
      events: [...RUNNING, exited(0), NO_SANDBOX],
      expected: "COMPLETE -",
    },
    { name: "stops on demand", events: [...RUNNING, SHUTDOWN], expected: "RUNNING stopContainer" },
    {
      name: "a stop is no failure",
      events: [...RUNNING, SHUTDOWN, STOPPED],
      expected: "SHUTDOWN removeSandbox",
    },
    {
      name: "an exit while being stopped waits for the stop",
      events: [...RUNNING, SHUTDOWN, exited(1)],
      expected: "RUNNING -",
    },
    {
      name: "removes before it says so",
      events: [...RUNNING, REMOVE, STOPPED, NO_CONTAINER],
      expected: "RUNNING removeSandbox",
    },
    {
      name: "confirms a removal",
      events: [...RUNNING, REMOVE, STOPPED, NO_CONTAINER, NO_SANDBOX],
      expected: "SHUTDOWN -",
    },
    {
      name: "forgets what is unwanted when nothing is left",
      events: [...RUNNING, UNWANTED, STOPPED, NO_CONTAINER, NO_SANDBOX],
      expected: "RUNNING forget",
    },
    { name: "calls off a pull", events: [ASSIGN, SHUTDOWN], expected: "PREPARING cancel" },
    {
      name: "ends after the pull was called off",
      events: [ASSIGN, SHUTDOWN, failed("pull", "Cancelled")],
      expected: "SHUTDOWN removeSandbox",
    },
    {
      name: "tries a pull again when the registry is away",
      events: [ASSIGN, failed("pull", "Unavailable")],
      expected: "PREPARING - wake 101750 (pull went wrong)",
    },
    {
      name: "pulls again when it is time",
      events: [ASSIGN, failed("pull", "Unavailable"), { kind: "wake" }],
      expected: "PREPARING pull (pull went wrong)",
    },
    {
      name: "rejects after enough tries",
      events: [
        ASSIGN,
        ...Array.from({ length: PREPARE_TRIES_MAX - 1 }, (): TaskEvent[] => [
          failed("pull", "Unavailable"),
          { kind: "wake" },
        ]).flat(),
        failed("pull", "Unavailable"),
      ],
      expected: "REJECTED removeSandbox (pull went wrong)",
    },
    {
      name: "rejects an unknown image at once",
      events: [ASSIGN, failed("pull", "NotFound")],
      expected: "REJECTED removeSandbox (pull went wrong)",
    },
    {
      name: "fails when the start fails",
      events: [...RUNNING.slice(0, 4), failed("startContainer", "Internal")],
      expected: "FAILED removeSandbox (startContainer went wrong)",
    },
    {
      name: "keeps trying to stop",
      events: [...RUNNING, SHUTDOWN, failed("stopContainer", "Internal")],
      expected: "RUNNING - wake 601750 (stopContainer went wrong)",
    },
    {
      name: "prepares and waits when asked to be ready",
      events: [
        { kind: "assigned", assignment: assignment(TaskState.READY) },
        ...RUNNING.slice(1, 4),
      ],
      expected: "READY -",
    },
    {
      name: "starts when READY becomes RUNNING",
      events: [
        { kind: "assigned", assignment: assignment(TaskState.READY) },
        ...RUNNING.slice(1, 4),
        ASSIGN,
      ],
      expected: "STARTING startContainer",
    },
    {
      name: "honours the restart delay",
      events: [
        { kind: "assigned", assignment: assignment(TaskState.RUNNING, 900_000) },
        ...RUNNING.slice(1, 4),
      ],
      expected: "READY - wake 900000",
    },
    {
      name: "does not wait out a clock that shows a time long before the task was made",
      events: [
        { kind: "assigned", assignment: assignment(TaskState.RUNNING, 9_005_000, 9_000_000) },
        ...RUNNING.slice(1, 4),
      ],
      expected: "STARTING startContainer",
    },
    {
      name: "nor does it before it tries again",
      from: {
        ...lost(TaskState.PREPARING),
        retry: { effect: "pull", count: 1, atMs: 9_000_000 },
      },
      events: [{ kind: "wake" }],
      expected: "PREPARING pull",
    },
    {
      name: "adopts a running container and serves its network again",
      from: lost(TaskState.RUNNING, container()),
      events: [{ kind: "wake" }],
      expected: "RUNNING createSandbox",
    },
    {
      name: "does not disturb an adopted container when its network cannot be served yet",
      from: lost(TaskState.RUNNING, container()),
      events: [{ kind: "wake" }, failed("createSandbox", "InvalidArgument")],
      expected: "RUNNING - wake 101750 (createSandbox went wrong)",
    },
    {
      name: "notices an exit it slept through",
      from: lost(TaskState.RUNNING, container({ state: "exited", exitCode: 2 })),
      events: [{ kind: "wake" }],
      expected: "FAILED removeSandbox (task: non-zero exit (2))",
    },
    {
      name: "does not run a task a second time when its container is gone",
      from: lost(TaskState.RUNNING),
      events: [{ kind: "wake" }],
      expected: "FAILED removeSandbox (its container is gone)",
    },
    {
      name: "takes up a preparation where a crash left it",
      from: lost(TaskState.PREPARING),
      events: [{ kind: "wake" }],
      expected: "PREPARING pull",
    },
    {
      name: "starts a container a crash left unstarted",
      from: lost(TaskState.STARTING, container({ state: "created", pid: 0 })),
      events: [{ kind: "wake" }, SANDBOXED],
      expected: "STARTING startContainer",
    },
    {
      name: "calls a started task whose network cannot be made again failed, not rejected",
      from: lost(TaskState.STARTING, container({ state: "created", pid: 0 })),
      events: [{ kind: "wake" }, failed("createSandbox", "InvalidArgument")],
      expected: "FAILED removeSandbox (createSandbox went wrong)",
    },
    {
      name: "is told what it had come to when its own files are lost, and runs it no second time",
      from: lost(TaskState.NEW, container()),
      events: [assignedAt(TaskState.RUNNING)],
      expected: "RUNNING createSandbox",
    },
    {
      name: "stops a task the managers have given up",
      from: lost(TaskState.RUNNING, container()),
      events: [assignedAt(TaskState.ORPHANED)],
      expected: "ORPHANED stopContainer",
    },
  ];
  for (const { name, events, expected, from } of cases) {
    it(name, () => expect(outcome(events, from)).to.equal(expected));
  }
});

describe("worker: a task that reads a secret", () => {
  const reference = { secretId: "s1", secretName: "key", file: { name: "key" } };
  const spec = TaskSpec.fromPartial({ container: { image: "nginx", secrets: [reference] } });
  const wish = (files?: readonly TaskFile[]): AssignedTask => {
    const base = { ...assignment(TaskState.RUNNING), spec };
    return files === undefined ? base : { ...base, files };
  };
  const assign = (files?: readonly TaskFile[]): TaskEvent => ({
    kind: "assigned",
    assignment: wish(files),
  });
  const here = taskFiles(spec, () => Buffer.from("hunter2"));
  const gone = taskFiles(spec, () => undefined);

  function stepped(...events: readonly TaskEvent[]) {
    let step = stepTask(newTaskModel(wish(), TaskStatus.create()), { kind: "wake" }, 0);
    for (const event of events) step = stepTask(step.task, event, 0);
    return step;
  }

  it("waits for it when a former daemon had it", () => {
    const { effect, task } = stepped();
    expect(effect).to.equal(undefined);
    expect(task.status.state).to.equal(TaskState.PREPARING);
    expect(stepped(assign(here)).effect?.kind).to.equal("pull");
  });

  it("is rejected when it was removed from the swarm", () => {
    const { task } = stepped(assign(gone));
    expect(task.status.state).to.equal(TaskState.REJECTED);
    expect(task.status.err).to.equal("secret key not found");
  });

  it("runs on when a manager that has it no more assigns it again", () => {
    const { task, effect } = stepped(
      assign(here),
      PULLED,
      SANDBOXED,
      CREATED,
      STARTED,
      assign(gone),
    );
    expect(task.status.state).to.equal(TaskState.RUNNING);
    expect(effect).to.equal(undefined);
  });

  it("keeps it no longer than it may start", () => {
    const exit: TaskEvent = {
      kind: "container",
      container: container({ state: "exited", exitCode: 1 }),
    };
    const { task } = stepped(assign(here), PULLED, SANDBOXED, CREATED, STARTED, exit);
    expect(task.status.state).to.equal(TaskState.FAILED);
    expect(task.assignment.files).to.equal(undefined);
  });
});
