import { expect } from "chai";
import type { EngineEvent } from "../backends/events.ts";
import { writeEvent } from "./event.ts";
import { eventFits } from "./event-filter.ts";

const PULL: EngineEvent = {
  type: "image",
  action: "pull",
  actorId: "r:5000/app:v1",
  attributes: { name: "r:5000/app" },
  scope: "local",
  timeNs: 1_700_000_000_123_456_789n,
};
const HEALTH: EngineEvent = {
  type: "container",
  action: "health_status: healthy",
  actorId: "abc123",
  attributes: { name: "web", image: "nginx:1", tier: "front" },
  scope: "local",
  timeNs: 1n,
};
const NODE: EngineEvent = {
  ...{ type: "node", action: "update", actorId: "n1", scope: "swarm", timeNs: 1n },
  attributes: { name: "h1" },
};

describe("events on the wire", () => {
  it("have old clients' fields and every digit of their time", () => {
    expect(writeEvent(PULL)).to.equal(
      '{"status":"pull","id":"r:5000/app:v1","Type":"image","Action":"pull","Actor":{"ID":"r:5000/app:v1","Attributes":{"name":"r:5000/app"}},"scope":"local","time":1700000000,"timeNano":1700000000123456789}\n',
    );
    expect(writeEvent(HEALTH)).to.contain('"from":"nginx:1"');
    const prune: EngineEvent = { ...PULL, action: "prune", actorId: "" };
    expect(writeEvent(prune)).to.match(/^\{"status":"prune","Type":"image"/);
    expect(writeEvent(NODE)).to.match(/^\{"Type":"node"/);
  });

  const cases: { filters: Record<string, string[]>; pull: boolean; health: boolean }[] = [
    { filters: {}, pull: true, health: true },
    { filters: { type: ["image"] }, pull: true, health: false },
    { filters: { type: ["image", "container"] }, pull: true, health: true },
    { filters: { event: ["pull"] }, pull: true, health: false },
    { filters: { event: ["health_status"] }, pull: false, health: true },
    { filters: { event: ["health_status: healthy"] }, pull: false, health: true },
    { filters: { event: ["pul"] }, pull: false, health: false },
    { filters: { image: ["r:5000/app"] }, pull: true, health: false },
    { filters: { image: ["r:5000/app:v1"] }, pull: true, health: false },
    { filters: { image: ["nginx"] }, pull: false, health: true },
    { filters: { container: ["abc"] }, pull: false, health: true },
    { filters: { container: ["web"] }, pull: false, health: true },
    { filters: { container: ["eb"] }, pull: false, health: false },
    { filters: { label: ["tier"] }, pull: false, health: true },
    { filters: { label: ["tier=front", "name=web"] }, pull: false, health: true },
    { filters: { label: ["tier=back"] }, pull: false, health: false },
    { filters: { label: ["toString"] }, pull: false, health: false },
    { filters: { scope: ["swarm"] }, pull: false, health: false },
    { filters: { type: ["container"], label: ["no"] }, pull: false, health: false },
  ];
  for (const { filters, pull, health } of cases) {
    it(`filter by ${JSON.stringify(filters)}`, () => {
      expect([eventFits(filters, PULL), eventFits(filters, HEALTH)]).to.deep.equal([pull, health]);
    });
  }

  it("of the swarm are told apart by their scope", () => {
    expect(eventFits({ scope: ["swarm"], node: ["h1"] }, NODE)).to.equal(true);
  });
});
