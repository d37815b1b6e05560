import { expect } from "chai";
import type { StoreEvent } from "../../manager/store/apply.ts";
import {
  Node,
  NodeRole,
  NodeState,
  Secret,
  Service,
  Task,
  UpdateStatus_State,
} from "../../proto/gen/objects.ts";
import { swarmEvent } from "./swarm-events.ts";

const SPEC = {
  name: "web",
  mode: { $case: "replicated", value: { replicas: 2 } } as const,
  task: { container: { image: "nginx:1" } },
};
const SERVICE = Service.fromPartial({ id: "s1", spec: SPEC });
const NODE = Node.fromPartial({
  id: "n1",
  description: { hostname: "h1" },
  role: NodeRole.WORKER,
  status: { state: NodeState.READY },
});

/** As the store tells it, without what the events do not show. */
interface Change {
  readonly kind: StoreEvent["kind"];
  readonly before: unknown;
  readonly after: unknown;
}

/** What is published, as one line. */
function told(change: Change): string | undefined {
  const event = swarmEvent({ ...change, index: 1 } as StoreEvent);
  if (event === undefined) return undefined;
  expect(event.scope).to.equal("swarm");
  const { name, ...more } = event.attributes;
  const details = Object.entries(more).map(([key, value]) => ` ${key}=${value}`);
  return `${event.type} ${event.action} ${event.actorId} ${name}${details.join("")}`;
}

describe("events of the swarm", () => {
  const updated = Service.fromPartial({
    id: "s1",
    spec: { ...SPEC, mode: { $case: "replicated", value: { replicas: 3 } } },
    updateStatus: { state: UpdateStatus_State.UPDATING },
  });
  const down = Node.fromPartial({ ...NODE, status: { state: NodeState.DOWN } });
  const cases: { change: Change; expected: string | undefined }[] = [
    {
      change: { kind: "service", before: undefined, after: SERVICE },
      expected: "service create s1 web",
    },
    {
      change: { kind: "service", before: SERVICE, after: updated },
      expected:
        "service update s1 web replicas.old=2 replicas.new=3 updatestate.old= updatestate.new=updating",
    },
    {
      change: { kind: "service", before: SERVICE, after: { ...SERVICE, pendingDelete: true } },
      expected: "service remove s1 web",
    },
    {
      change: { kind: "service", before: { ...SERVICE, pendingDelete: true }, after: undefined },
      expected: undefined,
    },
    {
      change: { kind: "node", before: NODE, after: down },
      expected: "node update n1 h1 state.old=ready state.new=down",
    },
    {
      change: {
        kind: "secret",
        before: Secret.fromPartial({ id: "x", spec: { name: "pw" }, data: Buffer.from("hidden") }),
        after: undefined,
      },
      expected: "secret remove x pw",
    },
    {
      change: { kind: "task", before: undefined, after: Task.fromPartial({ id: "t" }) },
      expected: undefined,
    },
  ];
  for (const { change, expected } of cases) {
    it(`${expected ?? `nothing of a ${change.kind}`}`, () => {
      expect(told(change)).to.equal(expected);
    });
  }
});
