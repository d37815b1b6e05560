import { expect } from "chai";
import { nodeObject, StoreFixture } from "../../test/support/store-fixture.ts";
import { createChange } from "../store/changes.ts";
import { checkConstraints, meetsConstraints, parseConstraint } from "./constraints.ts";

describe("scheduler: constraints", () => {
  const fixture = new StoreFixture();
  const options = {
    hostname: "Alpha",
    labels: { zone: "eu-1", "a.b/c": "x y" },
    engineLabels: { disk: "ssd" },
  };
  fixture.must(createChange("node", { ...nodeObject("id1", options), role: 1 }));
  const node = fixture.view.nodes.get("id1");

  const cases: readonly [term: string, met: boolean][] = [
    ["node.id == id1", true],
    ["node.id != id1", false],
    ["node.hostname == alpha", true],
    ["node.role == manager", true],
    ["node.role==worker", false],
    ["node.platform.os == linux", true],
    ["node.platform.arch != x86_64", false],
    ["node.labels.zone == eu-1", true],
    ["node.labels.zone != eu-2", true],
    ["node.labels.a.b/c == x y", true],
    ["node.labels.absent == x", false],
    ["node.labels.absent != x", true],
    ["node.labels.constructor != x", true],
    ["engine.labels.disk == ssd", true],
    ["NODE.LABELS.zone == eu-1", true],
  ];
  for (const [term, met] of cases) {
    it(`${term} is ${met}`, () => {
      if (node === undefined) throw new Error("no node");
      checkConstraints([term]);
      expect(meetsConstraints([parseConstraint(term)], node)).to.equal(met);
    });
  }

  for (const term of [
    "",
    "node.id",
    "node.id = x",
    "node.id ==",
    "nodeid == x",
    "node.labels. == x",
  ]) {
    it(`${JSON.stringify(term)} is none`, () => {
      expect(() => checkConstraints(["node.id == a", term])).to.throw(`invalid expression ${term}`);
    });
  }
});
