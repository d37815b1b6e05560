import { expect } from "chai";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import { explain } from "./ask-leader.ts";

describe("rpc: a manager that cannot be reached", () => {
  const cases: { name: string; code?: ErrorCode; why: string; says: string }[] = [
    {
      name: "nobody there",
      why: "No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2377. Resolution note: ",
      says: "cannot reach a manager at 10.0.0.1:2377: check the address, that the manager runs and that its port is open (No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2377)",
    },
    {
      name: "a clock that is behind",
      why: "No connection established. Last error: Error: certificate is not yet valid. Resolution note: ",
      says: "cannot reach a manager at 10.0.0.1:2377: its certificate does not hold by this machine's clock: compare the clocks of both (No connection established. Last error: Error: certificate is not yet valid)",
    },
    {
      name: "silence",
      code: "DeadlineExceeded",
      why: "Deadline exceeded",
      says: "cannot reach a manager at 10.0.0.1:2377: check the address, that the manager runs and that its port is open (Deadline exceeded)",
    },
  ];
  for (const { name, code = "Unavailable", why, says } of cases) {
    it(`is said to be so: ${name}`, () => {
      const error = new ClusterError(code, why, { details: { unanswered: true } });
      expect(explain(error, "10.0.0.1:2377")).to.include({ code: "Unavailable", message: says });
    });
  }

  it("is something else than one that refuses", () => {
    const refusal = new ClusterError("PermissionDenied", "invalid join token");
    expect(explain(refusal, "10.0.0.1:2377")).to.equal(refusal);
  });
});
