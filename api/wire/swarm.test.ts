import { expect } from "chai";
import { Cluster, ClusterSpec } from "../../proto/gen/objects.ts";
import { readSwarmSpec, writeClusterInfo } from "./swarm.ts";

const S = 1e9;
const spec = (part: Partial<ClusterSpec> = {}) => ClusterSpec.create(part);
const times = ({ heartbeatMs, downAfterMs, restartGraceMs }: ClusterSpec) => [
  heartbeatMs,
  downAfterMs,
  restartGraceMs,
];
const shown = (current: ClusterSpec) =>
  writeClusterInfo(Cluster.fromPartial({ id: "c", spec: current })).Spec as Record<string, unknown>;

describe("api: the times of a SwarmSpec", () => {
  const cases: { name: string; current?: ClusterSpec; body: object; expected: number[] }[] = [
    { name: "nothing said", body: {}, expected: [0, 0, 0] },
    {
      name: "Docker's heartbeat alone keeps Muster's own",
      current: spec({ heartbeatMs: 500, downAfterMs: 4_000, restartGraceMs: 20_000 }),
      body: { Dispatcher: { HeartbeatPeriod: S } },
      expected: [1_000, 4_000, 20_000],
    },
    {
      name: "all three",
      body: { Dispatcher: { HeartbeatPeriod: S, DownAfter: 4 * S, RestartGrace: 30 * S } },
      expected: [1_000, 4_000, 30_000],
    },
    {
      name: "less than a millisecond is not none",
      body: { Dispatcher: { HeartbeatPeriod: 1 } },
      expected: [1, 0, 0],
    },
    {
      name: "0 is the default again",
      current: spec({ heartbeatMs: 1_000, downAfterMs: 4_000, restartGraceMs: 20_000 }),
      body: { Dispatcher: { HeartbeatPeriod: 0, DownAfter: 0, RestartGrace: 0 } },
      expected: [1_000, 0, 0],
    },
  ];
  for (const { name, current = spec(), body, expected } of cases) {
    it(`are read: ${name}`, () =>
      expect(times(readSwarmSpec(body, current))).to.deep.equal(expected));
  }

  it("are shown as they hold", () => {
    expect(shown(spec({ heartbeatMs: 5_000 })).Dispatcher).to.deep.equal({
      HeartbeatPeriod: 5 * S,
      DownAfter: 25 * S,
      RestartGrace: 25 * S,
    });
  });

  it("sent as they are shown, do not become fixed", () => {
    const current = spec({ heartbeatMs: 5_000 });
    const again = readSwarmSpec(shown(current), current);
    expect(times(again)).to.deep.equal([5_000, 0, 0]);
  });
});

describe("api: Raft's settings in a SwarmSpec", () => {
  it("may be sent as they are shown", () => {
    const current = spec({ name: "default", snapshotInterval: 10_000 });
    expect(readSwarmSpec(shown(current), current)).to.deep.equal(current);
  });

  it("are refused by name where they cannot be changed", () => {
    expect(() => readSwarmSpec({ Raft: { KeepOldSnapshots: 5 } }, spec())).to.throw(
      /^SwarmSpec\.Raft\.KeepOldSnapshots cannot be changed .* it is 0, leave it out$/,
    );
  });
});
