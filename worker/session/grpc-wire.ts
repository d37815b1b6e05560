import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import { DispatcherClient } from "../../proto/gen/dispatcher.ts";
import { fromRpcError } from "../../proto/rpc-status.ts";
import type { Dial } from "./wire.ts";

/**
 * Conversations over gRPC.
 *
 * @param credentials this node's certificate and the swarm's CA; asked for each connection, so that rotation works.
 * @param channelOptions added to the channel's options: the server name expected in managers' certificates.
 */
export function grpcDial(
  credentials: () => ChannelCredentials,
  channelOptions: ChannelOptions = {},
): Dial {
  return (addr, events) => {
    const client = new DispatcherClient(addr, credentials(), {
      ...channelOptions,
      // Log streams may be long; they must not make heartbeats wait behind another session's connection.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
    });
    const call = client.session();
    call.on("data", events.onMessage);
    call.on("error", (error: unknown) => events.onEnd(fromRpcError(error)));
    call.on("end", () => {
      events.onEnd(
        new ClusterError("Unavailable", `session with manager ${addr} ended: the manager ended it`),
      );
    });
    return {
      send: (kind) => {
        if (call.writable) call.write({ kind });
      },
      logs: client,
      close: () => {
        call.cancel();
        client.close();
      },
    };
  };
}
