import { assert } from "chai";
import type { Container, NetworkMode } from "../../runtime/container/types.ts";
import { findBareRun } from "./bare-run.ts";

const run = (network: NetworkMode, facts: Partial<Container> = {}) =>
  findBareRun({
    ...{ id: "c", config: { network }, state: "running", pid: 7, startedAtMs: 1 },
    ...facts,
  } as unknown as Container);

describe("daemon: a run without networks of its own", () => {
  it("has ids that are its own, and the namespace of its process", () => {
    const host = run({ kind: "host" });
    assert.match(host?.endpointId ?? "", /^[0-9a-f]{64}$/);
    assert.match(host?.sandboxId ?? "", /^[0-9a-f]{64}$/);
    assert.notEqual(host?.endpointId, host?.sandboxId);
    assert.equal(host?.sandboxPath, "/proc/7/ns/net");
    assert.notEqual(run({ kind: "host" }, { startedAtMs: 2 })?.endpointId, host?.endpointId);
    assert.equal(run({ kind: "none" })?.endpointId, host?.endpointId);
  });

  it("is none while it does not run, or when it has networks", () => {
    assert.isUndefined(run({ kind: "host" }, { state: "exited" }));
    assert.isUndefined(run({ kind: "container", id: "d" }));
    assert.isUndefined(run({ kind: "local", network: "a", endpoints: [] }));
  });
});
