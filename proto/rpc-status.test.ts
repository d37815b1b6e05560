import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { ClusterError } from "../core/errors.ts";
import { fromRpcError, rpcError } from "./rpc-status.ts";

describe("proto: rpc status", () => {
  it("brings code, message and the leader's address to the other side", () => {
    const sent = new ClusterError("Unavailable", "cannot write: not the leader", {
      details: { leader: "10.0.0.2:2377", outcomeUnknown: true },
    });
    const received = fromRpcError(rpcError(sent));
    expect(received).to.include({ code: "Unavailable", message: sent.message });
    expect(received.details).to.deep.equal(sent.details);
  });

  it("tells what no server said from what one did", () => {
    const fromGrpc = Object.assign(new Error(), { code: status.UNAVAILABLE, details: "no route" });
    expect(fromRpcError(fromGrpc).details).to.deep.equal({ unanswered: true });
    expect(fromRpcError(rpcError(new ClusterError("Unavailable", "busy"))).details).to.deep.equal(
      {},
    );
  });

  it("calls anything unforeseen internal", () => {
    expect(rpcError(new TypeError("x is undefined")).code).to.equal(status.INTERNAL);
    expect(fromRpcError("boom")).to.include({ code: "Internal", message: "boom" });
  });
});
