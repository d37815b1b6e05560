import { expect } from "chai";
import type { Assignments } from "../../proto/gen/dispatcher.ts";
import { Task, TaskState } from "../../proto/gen/objects.ts";
import { StoreFixture } from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { CHUNK_BYTES_MAX } from "./chunks.ts";
import { SentAssignments } from "./sent-assignments.ts";

/** One line for each change: `+rev web/1`, `+task a RUNNING`, `-task a`. */
function lines(messages: readonly Assignments[]): string[] {
  return messages.flatMap(({ changes }) => changes.map(({ kind }) => line(kind)));
}

function line(kind: Assignments["changes"][number]["kind"]): string {
  switch (kind?.$case) {
    case "putRevision":
      return `+rev ${kind.value.serviceId}/${kind.value.revision}`;
    case "removeRevision":
      return `-rev ${kind.value.serviceId}/${kind.value.revision}`;
    case "putTask":
      return `+task ${kind.value.task?.id} ${stateName(kind.value.task?.desiredState)}`;
    case "removeTaskId":
      return `-task ${kind.value}`;
    default:
      return "nothing";
  }
}

function stateName(state: TaskState | undefined): string | undefined {
  return Object.entries(TaskState).find(([, value]) => value === state)?.[0];
}

describe("dispatcher: assignments of one worker", () => {
  const nobody = () => false;
  let fixture: StoreFixture;
  let sent: SentAssignments;

  beforeEach(() => {
    fixture = new StoreFixture();
    fixture.addNode("n1");
    fixture.addNode("n2");
    fixture.addService("web");
    sent = new SentAssignments("n1");
  });

  function addTask(id: string, state: TaskState = TaskState.ASSIGNED, nodeId = "n1"): void {
    const desiredState = TaskState.RUNNING;
    const task = { id, serviceId: "web", slot: 1, revision: 1, nodeId, desiredState };
    fixture.must(createChange("task", Task.fromPartial({ ...task, status: { state } })));
  }

  function marked(...ids: readonly string[]): string[] {
    for (const id of ids) sent.mark(id);
    return lines(sent.take(fixture.view, nobody));
  }

  it("begins with the complete set, be it empty", () => {
    const messages = sent.take(fixture.view, nobody);
    expect(messages).to.deep.equal([{ sequence: 1, complete: true, last: true, changes: [] }]);
  });

  it("sends a revision once, before its tasks", () => {
    addTask("a");
    addTask("b");
    expect(lines(sent.take(fixture.view, nobody))).to.deep.equal([
      "+rev web/1",
      "+task a RUNNING",
      "+task b RUNNING",
    ]);
  });

  it("leaves out other nodes' tasks and those not placed yet", () => {
    addTask("a", TaskState.PENDING);
    addTask("b", TaskState.ASSIGNED, "n2");
    expect(lines(sent.take(fixture.view, nobody))).to.deep.equal([]);
  });

  it("then sends only what changed", () => {
    addTask("a");
    sent.take(fixture.view, nobody);
    addTask("b");
    expect(marked("a", "b")).to.deep.equal(["+task b RUNNING"]);
    fixture.must(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    expect(marked("a")).to.deep.equal(["+task a SHUTDOWN"]);
  });

  it("does not echo what the worker reported", () => {
    addTask("a");
    sent.take(fixture.view, nobody);
    fixture.report({ id: "a" }, TaskState.RUNNING);
    expect(marked("a")).to.deep.equal([]);
  });

  it("forgets a revision with its last task", () => {
    addTask("a");
    addTask("b");
    sent.take(fixture.view, nobody);
    fixture.must(removeChange("task", "a"));
    expect(marked("a")).to.deep.equal(["-task a"]);
    fixture.must(removeChange("task", "b"));
    expect(marked("b")).to.deep.equal(["-task b", "-rev web/1"]);
  });

  it("keeps a held task running, in the complete set too", () => {
    addTask("a", TaskState.RUNNING);
    fixture.must(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    const held = (taskId: string) => taskId === "a";
    expect(lines(sent.take(fixture.view, held))).to.include("+task a RUNNING");
    expect(marked("a")).to.deep.equal(["+task a SHUTDOWN"]);
  });

  it("numbers its messages without a gap and keeps each within the limit", () => {
    const message = "x".repeat(1_000);
    const status = { state: TaskState.COMPLETE, message };
    for (let i = 0; i < 600; i++) {
      const place = { serviceId: "web", revision: 1, nodeId: "n1" };
      const task = { id: `t${i}`, ...place, desiredState: TaskState.RUNNING, status };
      fixture.must(createChange("task", Task.fromPartial(task)));
    }
    const messages = sent.take(fixture.view, nobody);
    expect(messages.length).to.be.greaterThan(2);
    expect(messages.map((one) => one.sequence)).to.deep.equal(messages.map((_, i) => i + 1));
    expect(messages.map((one) => one.last)).to.deep.equal(
      messages.map((_, i) => i === messages.length - 1),
    );
    for (const one of messages) {
      expect(JSON.stringify(one.changes).length).to.be.lessThan(2 * CHUNK_BYTES_MAX);
    }
  });
});
