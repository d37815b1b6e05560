import { expect } from "chai";
import { StoreFixture } from "../../test/support/store-fixture.ts";
import { decodeObjects, encodeObjects } from "./snapshot.ts";
import { Store } from "./store.ts";

function filled(): StoreFixture {
  const cluster = new StoreFixture();
  cluster.addCluster();
  for (let i = 0; i < 20; i++) cluster.addNode(`n${i}`, { labels: { zone: "z".repeat(i * 20) } });
  cluster.addService("web");
  return cluster;
}

describe("store: snapshot", () => {
  for (const pieceBytes of [1, 7, 100, 1_000_000]) {
    it(`survives pieces of ${pieceBytes} bytes`, () => {
      const objects = [...filled().view.nodes.values()].map((value) => ({
        $case: "node" as const,
        value,
      }));
      const pieces = [...encodeObjects(objects, pieceBytes)];
      expect(Math.max(...pieces.map((piece) => piece.length))).to.be.at.most(pieceBytes);
      expect([...decodeObjects(pieces)]).to.deep.equal(objects);
    });
  }

  it("gives an equal store", () => {
    const cluster = filled();
    const copy = new Store();
    copy.restore(30, cluster.store.snapshot());
    expect(copy.view().index).to.equal(30);
    expect(copy.view().services.byName("web")).to.deep.equal(cluster.view.services.get("web"));
    expect(copy.view().revisions.find("web", 1)).to.deep.equal(
      cluster.view.revisions.find("web", 1),
    );
    expect(copy.view().nodes.size).to.equal(20);
    expect(copy.view().cluster).to.deep.equal(cluster.view.cluster);
  });

  it("is of the moment it was asked for", () => {
    const cluster = filled();
    const parts = cluster.store.snapshot();
    cluster.addNode("late");
    const copy = new Store();
    copy.restore(30, parts);
    expect(copy.view().nodes.get("late")).to.equal(undefined);
  });

  it("refuses to end in the middle of an object", () => {
    const [piece = new Uint8Array()] = [...filled().store.snapshot()];
    expect(() => [...decodeObjects([piece.subarray(0, piece.length - 3)])]).to.throw("middle");
  });
});
