import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { nodeObject } from "../../test/support/store-fixture.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { createChange } from "./changes.ts";
import { BATCH_BYTES_MAX, Proposer } from "./proposer.ts";
import { Store } from "./store.ts";

function make(): { store: Store; proposer: Proposer } {
  const store = new Store();
  return { store, proposer: new Proposer(new MemoryLog(store), { nowMs: () => 77 }) };
}

const addNode = (id: string, labels: Record<string, string> = {}) =>
  createChange("node", nodeObject(id, { labels }));

async function failure(promise: Promise<unknown>): Promise<ClusterError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ClusterError) return error;
  }
  throw new Error("it did not fail as expected");
}

describe("store: proposer", () => {
  it("resolves when the change can be seen", async () => {
    const { store, proposer } = make();
    const { index } = await proposer.propose([addNode("a")]);
    expect(store.view().nodes.get("a")?.meta).to.deep.equal({
      version: index,
      createdAtMs: 77,
      updatedAtMs: 77,
    });
  });

  it("throws what the store refused", async () => {
    const { proposer } = make();
    const error = await failure(proposer.propose([addNode("a"), addNode("a")]));
    expect(error.code).to.equal("AlreadyExists");
  });

  it("throws ResourceExhausted past the size of an entry", async () => {
    const { store, proposer } = make();
    const error = await failure(proposer.propose([addNode("a", { big: "x".repeat(5_000_000) })]));
    expect(error.code).to.equal("ResourceExhausted");
    expect(store.view().nodes.size).to.equal(0);
  });

  it("packs groups into few entries and never parts a group", async () => {
    const { store, proposer } = make();
    const label = { filler: "x".repeat(BATCH_BYTES_MAX / 10) };
    const groups = Array.from({ length: 30 }, (_, i) => [
      addNode(`a${i}`, label),
      addNode(`b${i}`, label),
    ]);
    await proposer.proposeBatched(groups);
    expect(store.view().nodes.size).to.equal(60);
    expect(store.view().index).to.be.within(6, 8);
    const versions = (prefix: string) =>
      groups.map((_, i) => store.view().nodes.get(`${prefix}${i}`)?.meta.version);
    expect(versions("a")).to.deep.equal(versions("b"));
  });
});
