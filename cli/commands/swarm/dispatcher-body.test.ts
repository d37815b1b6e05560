import { expect } from "chai";
import { dispatcherBody } from "./dispatcher-body.ts";

describe("cli: swarm flags that say when a node is gone", () => {
  it("become only what was given", () => {
    expect(dispatcherBody({})).to.deep.equal({});
    expect(dispatcherBody({ downAfter: "4s" })).to.deep.equal({ DownAfter: 4e9 });
    expect(dispatcherBody({ dispatcherHeartbeat: "1s", restartGrace: "1m" })).to.deep.equal({
      HeartbeatPeriod: 1e9,
      RestartGrace: 60e9,
    });
  });

  it("refuse the heartbeat under both its names", () => {
    expect(() => dispatcherBody({ heartbeat: "1s", dispatcherHeartbeat: "1s" })).to.throw(
      "one setting",
    );
  });

  it("refuse what is no duration", () => {
    expect(() => dispatcherBody({ heartbeat: "soon" })).to.throw("invalid duration 'soon'");
  });
});
