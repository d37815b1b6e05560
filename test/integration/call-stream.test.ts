import { ChannelCredentials } from "@grpc/grpc-js";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { serveCalls } from "../../manager/rpc/call-server.ts";
import { withCallStream } from "../../manager/rpc/call-stream.ts";
import { callUnary } from "../../manager/rpc/calls.ts";
import { unary } from "../../manager/rpc/handlers.ts";
import { listenPlain, type RpcServer } from "../../manager/rpc/server.ts";
import { ControlClient, ControlService, type GetRequest } from "../../proto/gen/control.ts";
import { Network } from "../../proto/gen/objects.ts";
import { failureOf } from "../support/failure-of.ts";

const TIMEOUT_MS = 5000;

describe("integration: many calls over one stream", () => {
  let server: RpcServer;
  let client: ControlClient;
  /** By the `ref` asked for: calls that wait until the test answers them. */
  let waiting: Map<string, (network: Network) => void>;

  beforeEach(async () => {
    waiting = new Map();
    const methods = {
      getNetwork: unary(async ({ ref }: GetRequest) => {
        if (ref === "taken") {
          const details = { leader: "10.0.0.9:2377", outcomeUnknown: true };
          throw new ClusterError("Unavailable", "cannot tell", { details });
        }
        if (ref !== "slow") return Network.create({ id: ref });
        return new Promise<Network>((resolve) => void waiting.set(ref, resolve));
      }),
    };
    const implementation = { ...methods, calls: serveCalls(ControlService, methods) };
    server = await listenPlain("127.0.0.1:0", [{ definition: ControlService, implementation }]);
    const plain = new ControlClient(
      `127.0.0.1:${server.port}`,
      ChannelCredentials.createInsecure(),
    );
    client = withCallStream(plain, ControlService);
  });

  afterEach(() => {
    client.close();
    server.close();
  });

  const get = (ref: string, timeoutMs = TIMEOUT_MS) =>
    callUnary(client.getNetwork.bind(client), { ref }, { timeoutMs });

  it("answers each call, in any order", async () => {
    const slow = get("slow");
    const ids = await Promise.all(Array.from({ length: 2000 }, (_, i) => get(`network ${i}`)));
    expect(ids.map(({ id }) => id)).to.deep.equal(ids.map((_, i) => `network ${i}`));
    waiting.get("slow")?.(Network.create({ id: "at last" }));
    expect((await slow).id).to.equal("at last");
  });

  it("carries a refusal with what a caller needs to know", async () => {
    const { code, message, details } = await failureOf(get("taken"));
    expect({ code, message, details }).to.deep.equal({
      code: "Unavailable",
      message: "cannot tell",
      details: { leader: "10.0.0.9:2377", outcomeUnknown: true },
    });
  });

  it("refuses a call the server does not know", async () => {
    const { code } = await failureOf(
      callUnary(client.getCluster.bind(client), {}, { timeoutMs: TIMEOUT_MS }),
    );
    expect(code).to.equal("Unimplemented");
  });

  it("gives a late call up and goes on", async () => {
    const { code, details } = await failureOf(get("slow", 30));
    expect({ code, details }).to.deep.equal({
      code: "DeadlineExceeded",
      details: { unanswered: true },
    });
    expect((await get("next")).id).to.equal("next");
  });

  it("says of calls under way at a break that nobody answered, and opens the stream again", async () => {
    const slow = failureOf(get("slow"));
    await get("another");
    server.close();
    const { code, details } = await slow;
    expect({ code, details }).to.deep.equal({ code: "Unavailable", details: { unanswered: true } });
    expect((await failureOf(get("gone"))).code).to.equal("Unavailable");
  });

  it("lets calls under way have their answers after close", async () => {
    const slow = get("slow");
    await get("another");
    client.close();
    waiting.get("slow")?.(Network.create({ id: "still" }));
    expect((await slow).id).to.equal("still");
  });
});
