import { expect } from "chai";
import { Assignments, TaskAssignment } from "../../proto/gen/dispatcher.ts";
import { ServiceRevision } from "../../proto/gen/objects.ts";
import { AssignmentSet } from "./assignment-set.ts";

type Change = NonNullable<Assignments["changes"][number]["kind"]>;

const revision: Change = {
  $case: "putRevision",
  value: ServiceRevision.fromPartial({
    serviceId: "web",
    revision: 1,
    task: { container: { image: "nginx" } },
  }),
};

function putTask(id: string): Change {
  const task = { id, serviceId: "web", revision: 1 };
  return { $case: "putTask", value: TaskAssignment.fromPartial({ task, serviceName: "web" }) };
}

function message(
  sequence: number,
  changes: readonly Change[],
  part: "complete" | "complete and last" | "delta" = "delta",
): Assignments {
  const complete = part !== "delta";
  const last = part !== "complete";
  return Assignments.create({
    sequence,
    complete,
    last,
    changes: changes.map((kind) => ({ kind })),
  });
}

describe("worker: assignment set", () => {
  it("is complete with its last part, not before", () => {
    const set = new AssignmentSet();
    const first = set.apply(message(1, [revision, putTask("a")], "complete"));
    expect(first.completeTaskIds).to.equal(undefined);
    const last = set.apply(message(2, [putTask("b")], "complete and last"));
    expect([...(last.completeTaskIds ?? [])]).to.deep.equal(["a", "b"]);
  });

  it("gives each task the spec of its revision", () => {
    const set = new AssignmentSet();
    const { assigned } = set.apply(message(1, [revision, putTask("a")], "complete and last"));
    expect(assigned[0]?.spec.container?.image).to.equal("nginx");
    expect(assigned[0]?.serviceName).to.equal("web");
  });

  it("then takes changes", () => {
    const set = new AssignmentSet();
    set.apply(message(1, [revision, putTask("a")], "complete and last"));
    const news = set.apply(message(2, [putTask("b"), { $case: "removeTaskId", value: "a" }]));
    expect(news.assigned.map((one) => one.task.id)).to.deep.equal(["b"]);
    expect(news.removedTaskIds).to.deep.equal(["a"]);
    expect(news.completeTaskIds).to.equal(undefined);
  });

  const broken: { name: string; messages: Assignments[] }[] = [
    { name: "a gap", messages: [message(1, [], "complete and last"), message(3, [])] },
    { name: "changes before the set", messages: [message(1, [])] },
    {
      name: "a second set",
      messages: [message(1, [], "complete and last"), message(2, [], "complete and last")],
    },
    { name: "a task without its spec", messages: [message(1, [putTask("a")], "complete")] },
  ];
  for (const { name, messages } of broken) {
    it(`does not go on after ${name}`, () => {
      const set = new AssignmentSet();
      const apply = () => {
        for (const one of messages) set.apply(one);
      };
      expect(apply).to.throw("cannot follow the assignments");
    });
  }

  describe("what tasks read", () => {
    const reference = { secretId: "s1", secretName: "key", file: { name: "key" } };
    const reading = ServiceRevision.fromPartial({
      serviceId: "web",
      revision: 1,
      task: { container: { image: "nginx", secrets: [reference] } },
    });
    const spec: Change = { $case: "putRevision", value: reading };
    const piece = (offset: number, text: string, totalBytes = 6): Change => {
      const value = { id: "s1", totalBytes, offset, data: Buffer.from(text) };
      return { $case: "putPayload", value };
    };

    it("is put together from its pieces, across messages", () => {
      const set = new AssignmentSet();
      set.apply(message(1, [spec, piece(0, "abc")], "complete"));
      const last = [piece(3, "def"), putTask("a")];
      const { assigned } = set.apply(message(2, last, "complete and last"));
      const [file] = assigned[0]?.files ?? [];
      expect(file?.path).to.equal("/run/secrets/key");
      expect(file?.data?.toString()).to.equal("abcdef");
    });

    it("is gone when it did not come, and when it was taken back", () => {
      const set = new AssignmentSet();
      const first = set.apply(message(1, [spec, putTask("a")], "complete and last"));
      expect(first.assigned[0]?.files?.[0]?.data).to.equal(undefined);
      const back: Change = { $case: "removePayloadId", value: "s1" };
      const next = set.apply(message(2, [piece(0, "abcdef"), back, putTask("b")]));
      expect(next.assigned[0]?.files?.[0]?.data).to.equal(undefined);
    });

    const wrong = [
      { name: "a piece left out", pieces: [piece(0, "abc"), piece(4, "ef")] },
      { name: "a piece too long", pieces: [piece(0, "abcdefg")] },
      { name: "no beginning", pieces: [piece(3, "def")] },
      { name: "a size that cannot be", pieces: [piece(0, "a", 2 ** 31)] },
    ];
    for (const { name, pieces } of wrong) {
      it(`does not go on after ${name}, and does not say what was in it`, () => {
        const apply = () => new AssignmentSet().apply(message(1, [spec, ...pieces], "complete"));
        expect(apply).to.throw(/^cannot follow the assignments: payload s1: (?!.*abc)/);
      });
    }
  });
});
