import { expect } from "chai";
import { Assignments } from "../../proto/gen/dispatcher.ts";
import { Config, Secret, Task, TaskState } from "../../proto/gen/objects.ts";
import { CHUNK_BYTES_MAX, PAYLOAD_PIECE_BYTES } from "../../proto/limits.ts";
import { StoreFixture, serviceSpec } from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { createServiceChanges } from "../store/service-changes.ts";
import { type Held, SentAssignments } from "./sent-assignments.ts";

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
    case "putPayload":
      return `+payload ${kind.value.id} ${kind.value.offset}/${kind.value.totalBytes}`;
    case "removePayloadId":
      return `-payload ${kind.value}`;
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

  function take(held: Held): Assignments[] {
    const messages: Assignments[] = [];
    for (let one = sent.next(fixture.view, held); one !== undefined; ) {
      messages.push(one);
      one = sent.next(fixture.view, held);
    }
    return messages;
  }

  function marked(...ids: readonly string[]): string[] {
    for (const id of ids) sent.mark(id);
    return lines(take(nobody));
  }

  it("begins with the complete set, be it empty", () => {
    const messages = take(nobody);
    expect(messages).to.deep.equal([{ sequence: 1, complete: true, last: true, changes: [] }]);
  });

  it("sends a revision once, before its tasks", () => {
    addTask("a");
    addTask("b");
    expect(lines(take(nobody))).to.deep.equal(["+rev web/1", "+task a RUNNING", "+task b RUNNING"]);
  });

  it("leaves out other nodes' tasks and those not placed yet", () => {
    addTask("a", TaskState.PENDING);
    addTask("b", TaskState.ASSIGNED, "n2");
    expect(lines(take(nobody))).to.deep.equal([]);
  });

  it("then sends only what changed", () => {
    addTask("a");
    take(nobody);
    addTask("b");
    expect(marked("a", "b")).to.deep.equal(["+task b RUNNING"]);
    fixture.must(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    expect(marked("a")).to.deep.equal(["+task a SHUTDOWN"]);
  });

  it("does not echo what the worker reported", () => {
    addTask("a");
    take(nobody);
    fixture.report({ id: "a" }, TaskState.RUNNING);
    expect(marked("a")).to.deep.equal([]);
  });

  it("forgets a revision with its last task", () => {
    addTask("a");
    addTask("b");
    take(nobody);
    fixture.must(removeChange("task", "a"));
    expect(marked("a")).to.deep.equal(["-task a"]);
    fixture.must(removeChange("task", "b"));
    expect(marked("b")).to.deep.equal(["-task b", "-rev web/1"]);
  });

  it("keeps a held task running, in the complete set too", () => {
    addTask("a", TaskState.RUNNING);
    fixture.must(updateChange("task", "a", { desiredState: TaskState.SHUTDOWN }));
    const held = (taskId: string) => taskId === "a";
    expect(lines(take(held))).to.include("+task a RUNNING");
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
    const messages = take(nobody);
    expect(messages.length).to.be.greaterThan(2);
    expect(messages.map((one) => one.sequence)).to.deep.equal(messages.map((_, i) => i + 1));
    expect(messages.map((one) => one.last)).to.deep.equal(
      messages.map((_, i) => i === messages.length - 1),
    );
    for (const one of messages) {
      expect(Assignments.encode(one).finish().length).to.be.at.most(CHUNK_BYTES_MAX);
    }
  });

  describe("what its tasks read", () => {
    const LARGE = Buffer.alloc(2 * PAYLOAD_PIECE_BYTES + 5, "x");

    beforeEach(() => {
      const secret = (id: string, data: Buffer) =>
        createChange("secret", Secret.fromPartial({ id, spec: { name: id }, data }));
      const site = Config.fromPartial({ id: "site", spec: { name: "site" }, data: LARGE });
      fixture.must(createChange("config", site));
      fixture.must(secret("key", Buffer.from("hunter2")), secret("other", Buffer.from("no")));
      const container = {
        image: "nginx:1",
        secrets: [{ secretId: "key", secretName: "key", file: { name: "key" } }],
        configs: [{ configId: "site", configName: "site", file: { name: "site" } }],
      };
      fixture.must(
        ...createServiceChanges("reader", serviceSpec({ name: "reader", task: { container } })),
      );
    });

    function addReader(id: string, nodeId = "n1", state: TaskState = TaskState.ASSIGNED): void {
      const place = { serviceId: "reader", slot: 1, revision: 1, nodeId };
      const task = { id, ...place, desiredState: TaskState.RUNNING, status: { state } };
      fixture.must(createChange("task", Task.fromPartial(task)));
    }

    const PIECES = [
      `+payload site 0/${LARGE.length}`,
      `+payload site ${PAYLOAD_PIECE_BYTES}/${LARGE.length}`,
      `+payload site ${2 * PAYLOAD_PIECE_BYTES}/${LARGE.length}`,
      "+payload key 0/7",
    ];

    it("comes once, in pieces, before the first of them", () => {
      addReader("a");
      addReader("b");
      const messages = take(nobody);
      expect(lines(messages)).to.deep.equal([
        ...["+rev reader/1", ...PIECES, "+task a RUNNING"],
        "+task b RUNNING",
      ]);
      expect(messages.length).to.be.greaterThan(1);
      for (const one of messages) {
        expect(Assignments.encode(one).finish().length).to.be.at.most(CHUNK_BYTES_MAX);
      }
    });

    it("does not come to a node whose tasks do not read it", () => {
      addReader("a", "n2");
      addTask("b");
      expect(lines(take(nobody))).to.deep.equal(["+rev web/1", "+task b RUNNING"]);
    });

    it("is taken back with the last task that runs, and comes again with the next", () => {
      addReader("a");
      addReader("b");
      take(nobody);
      fixture.report({ id: "a" }, TaskState.FAILED);
      expect(marked("a")).to.deep.equal([]);
      fixture.report({ id: "b" }, TaskState.COMPLETE);
      expect(marked("b")).to.deep.equal(["-payload site", "-payload key"]);
      addReader("c");
      expect(marked("c")).to.deep.equal([...PIECES, "+task c RUNNING"]);
      fixture.must(removeChange("task", "c"));
      expect(marked("c")).to.deep.equal(["-task c", "-payload site", "-payload key"]);
    });

    it("is not sent for tasks that are over", () => {
      addReader("a", "n1", TaskState.FAILED);
      expect(lines(take(nobody))).to.deep.equal(["+rev reader/1", "+task a RUNNING"]);
    });

    it("is left out when it was removed from the swarm", () => {
      addReader("a");
      fixture.must(removeChange("service", "reader"), removeChange("secret", "key"));
      expect(lines(take(nobody)).filter((one) => one.includes("key"))).to.deep.equal([]);
    });
  });
});
