import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { ClusterError } from "../core/errors.ts";
import { fromRpcError, rpcError } from "./rpc-status.ts";

describe("proto: rpc status", () => {
  it("brings code, message and the leader's address to the other side", () => {
    const sent = new ClusterError("Unavailable", "cannot write: not the leader", {
      details: { leader: "10.0.0.2:2377" },
    });
    const received = fromRpcError(rpcError(sent));
    expect(received).to.include({ code: "Unavailable", message: sent.message });
    expect(received.details).to.deep.equal({ leader: "10.0.0.2:2377" });
  });

  it("calls anything unforeseen internal", () => {
    expect(rpcError(new TypeError("x is undefined")).code).to.equal(status.INTERNAL);
    expect(fromRpcError("boom")).to.include({ code: "Internal", message: "boom" });
  });
});
