import { expect } from "chai";
import { ANSWER_TIMEOUT_MS, LogSources } from "./log-sources.ts";

describe("log broker: account of sources", () => {
  const source = (taskId: string, nodeId = "n1") => ({
    taskId,
    taskName: `web.1.${taskId}`,
    nodeId,
    nodeName: `host-${nodeId}`,
  });

  it("is settled when every task said its last", () => {
    const sources = new LogSources();
    sources.add(source("a"), true, 0);
    sources.add(source("b"), true, 0);
    sources.onEnd("a", "n1", "");
    expect(sources.settled).to.equal(false);
    sources.onEnd("b", "n1", "");
    expect(sources.settled).to.equal(true);
    expect(sources.takeIncomplete()).to.deep.equal([]);
  });

  it("does not wait for a node that is down, and says whose logs are missing", () => {
    const sources = new LogSources();
    expect(sources.add(source("a"), false, 0)).to.equal(false);
    expect(sources.settled).to.equal(true);
    expect(sources.takeIncomplete()).to.deep.equal([
      "logs of task web.1.a on node host-n1 are incomplete: node is down",
    ]);
    expect(sources.takeIncomplete()).to.deep.equal([]);
  });

  it("gives up a node that never answers, not one that is slow to finish", () => {
    const sources = new LogSources();
    sources.add(source("a", "mute"), true, 0);
    sources.add(source("b", "slow"), true, 0);
    sources.onAnswer("slow");
    sources.tick(ANSWER_TIMEOUT_MS + 1);
    expect(sources.expects("a", "mute")).to.equal(false);
    expect(sources.expects("b", "slow")).to.equal(true);
    expect(sources.takeIncomplete()).to.deep.equal([
      "logs of task web.1.a on node host-mute are incomplete: no answer within 5 s",
    ]);
  });

  it("ends all sources of a node that goes", () => {
    const sources = new LogSources();
    for (const id of ["a", "b"]) sources.add(source(id), true, 0);
    sources.onNodeGone("n1", "node is down");
    expect(sources.settled).to.equal(true);
    expect(sources.takeIncomplete()).to.have.length(2);
  });

  it("believes no node about another's tasks", () => {
    const sources = new LogSources();
    sources.add(source("a", "n1"), true, 0);
    sources.onEnd("a", "n2", "");
    expect(sources.expects("a", "n1")).to.equal(true);
    expect(sources.expects("a", "n2")).to.equal(false);
  });
});
