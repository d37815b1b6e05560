import { expect } from "chai";
import { containerConfig } from "../../test/support/runtime/container-config.ts";
import { SILENT_IMAGE } from "../../test/support/silent-image.ts";
import { toEngineEvents } from "./container-events.ts";
import type { ContainerEvent, ContainerId } from "./types.ts";

const ID = "abc" as ContainerId;
const subject = {
  config: containerConfig({ name: "web", image: "nginx", labels: { a: "own" } }),
  imageConfig: { ...SILENT_IMAGE, labels: { a: "image", b: "image" } },
};

function execEvent(action: "create" | "start" | "detach" | "die"): ContainerEvent {
  return { kind: "exec", id: ID, execId: "e", action, command: ["ls", "-l"], exitCode: 0 };
}

describe("container: events in the journal", () => {
  const actions: { event: ContainerEvent; expected: string[] }[] = [
    { event: { kind: "created", id: ID }, expected: ["create"] },
    { event: { kind: "killed", id: ID, signal: 9 }, expected: ["kill"] },
    {
      event: { kind: "exited", id: ID, exitCode: 137, oomKilled: true, ranMs: 2500 },
      expected: ["oom", "die"],
    },
    { event: { kind: "removed", id: ID }, expected: ["destroy"] },
    { event: { kind: "health", id: ID, state: "healthy" }, expected: ["health_status: healthy"] },
    { event: { kind: "attached", id: ID }, expected: ["attach"] },
    { event: { kind: "detached", id: ID }, expected: ["detach"] },
    { event: execEvent("create"), expected: ["exec_create: ls -l"] },
    { event: execEvent("start"), expected: ["exec_start: ls -l"] },
    {
      event: { ...execEvent("start"), command: ["ls"] } as ContainerEvent,
      expected: ["exec_start: ls "],
    },
    { event: { kind: "resized", id: ID, height: 20, width: 30 }, expected: ["resize"] },
    { event: execEvent("detach"), expected: ["exec_detach"] },
    { event: execEvent("die"), expected: ["exec_die"] },
    { event: { kind: "renamed", id: ID, oldName: "old" }, expected: ["rename"] },
  ];
  for (const { event, expected } of actions)
    it(`${event.kind}: ${expected.join(", ")}`, () =>
      expect(toEngineEvents(event, subject, []).map(({ action }) => action)).to.deep.equal(
        expected,
      ));

  it("have the container's name, image and labels, its own first, and what is special to them", () => {
    const ended: ContainerEvent = {
      kind: "exited",
      id: ID,
      exitCode: 3,
      oomKilled: false,
      ranMs: 2500,
    };
    expect(toEngineEvents(ended, subject, [])).to.deep.equal([
      {
        type: "container",
        action: "die",
        actorId: ID,
        attributes: {
          a: "own",
          b: "image",
          image: "nginx",
          name: "web",
          exitCode: "3",
          execDuration: "2",
        },
      },
    ]);
  });

  it("tell of the networks that are only names", () => {
    const networks = [{ id: "n1", name: "none", driver: "null" as const }];
    const alone = { ...subject, config: { ...subject.config, network: { kind: "none" as const } } };
    const [joined, started] = toEngineEvents({ kind: "started", id: ID }, alone, networks);
    expect(joined).to.deep.equal({
      type: "network",
      action: "connect",
      actorId: "n1",
      attributes: { container: ID, name: "none", type: "null" },
    });
    expect(started?.action).to.equal("start");
  });
});
