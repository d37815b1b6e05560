import { expect } from "chai";
import { relocatedState, type Whereabouts } from "./relocation.ts";
import type { SwarmState } from "./swarm-files.ts";

const own = [
  { interfaceName: "lo", address: "127.0.0.1" },
  { interfaceName: "eth0", address: "10.0.0.9" },
  { interfaceName: "eth0", address: "fe80::1" },
  { interfaceName: "eth1", address: "10.1.0.9" },
];

const state: SwarmState = {
  listenAddr: "0.0.0.0:2377",
  advertiseAddr: "10.0.0.1:2377",
  advertiseInterface: "eth0",
  managers: ["10.0.0.1:2377", "10.0.0.2:2377"],
  raftId: 7,
  raftJoined: true,
};

const CASES: {
  name: string;
  before?: Partial<SwarmState>;
  now?: Partial<Whereabouts>;
  expected: Partial<SwarmState>;
}[] = [
  { name: "the interface's new address", expected: { advertiseAddr: "10.0.0.9:2377" } },
  {
    name: "what the user says, with its port",
    now: { advertiseAddr: "eth1:4000" },
    expected: { advertiseAddr: "10.1.0.9:4000", advertiseInterface: "eth1" },
  },
  {
    name: "an address the machine never had, as it is",
    before: { advertiseAddr: "203.0.113.5:2377", advertiseInterface: "" },
    expected: { advertiseAddr: "203.0.113.5:2377", advertiseInterface: "" },
  },
  {
    name: "the old address while the interface has none",
    before: { advertiseInterface: "eth7" },
    expected: { advertiseAddr: "10.0.0.1:2377" },
  },
  {
    name: "the old address when the interface has several",
    now: { own: [...own, { interfaceName: "eth0", address: "10.0.0.10" }] },
    expected: { advertiseAddr: "10.0.0.1:2377" },
  },
  {
    name: "all addresses to listen at, where its own is gone",
    before: { listenAddr: "10.0.0.1:2377" },
    expected: { listenAddr: "0.0.0.0:2377" },
  },
  {
    name: "managers it is told of before those it knew",
    now: { managers: ["10.0.0.8", "10.0.0.2:2377"] },
    expected: { managers: ["10.0.0.8:2377", "10.0.0.2:2377", "10.0.0.1:2377"] },
  },
];

describe("node: relocation", () => {
  for (const { name, before, now, expected } of CASES) {
    it(`takes ${name}`, () => {
      const moved = relocatedState(
        { ...state, ...before },
        { advertiseAddr: "", managers: [], own, ...now },
      );
      expect(moved).to.deep.include(expected);
      expect(moved).to.include({ raftId: 7, raftJoined: true });
    });
  }

  it("refuses an advertise address that is none", () => {
    expect(() => relocatedState(state, { advertiseAddr: "nowhere", managers: [], own })).to.throw(
      "no interface of this name",
    );
  });
});
