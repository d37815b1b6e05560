import { expect } from "chai";
import { frameStartFailure } from "./start-failure.ts";

describe("containers: why one could not start", () => {
  it("is the runtime's reason in Docker's frame", () =>
    expect(
      frameStartFailure("cannot start container: runc create failed: exec: nosuch: not found"),
    ).to.equal(
      "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: exec: nosuch: not found: unknown",
    ));
  it("is told as it is when the runtime did not get so far", () => {
    for (const text of ["", "cannot start container web: no such network"])
      expect(frameStartFailure(text)).to.equal(text);
  });
});
