import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import { rpcError } from "../../proto/rpc-status.ts";

/** As much of a status as gRPC itself sends. */
interface SentStatus {
  readonly code?: status | null;
  readonly details?: string | null;
}

/**
 * Says clearly what gRPC says of a request that never reached its handler, since it is too large or makes no sense, and
 * tells `onRefused` of it. To stand nearest to the wire: what comes from further in has been said already.
 */
export function refusedMessages(options: {
  readonly receivedBytesMax: number;
  /** Each call, as it begins. */
  readonly onCall: (peer: string) => void;
  readonly onRefused: (error: ClusterError, peer: string) => void;
}): ServerInterceptor {
  const { receivedBytesMax, onCall, onRefused } = options;
  return ({ path }, call) => {
    onCall(call.getPeer());
    let isOurs = false;
    const send = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      const error = isOurs ? undefined : explain(sent, path, receivedBytesMax);
      if (error === undefined) return send(sent);
      onRefused(error, call.getPeer());
      send(rpcError(error));
    };
    const responder = new ResponderBuilder()
      .withSendStatus((sent, next) => {
        isOurs = true;
        next(sent);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

function explain(
  { code, details }: SentStatus,
  path: string,
  bytesMax: number,
): ClusterError | undefined {
  switch (code) {
    case status.RESOURCE_EXHAUSTED: {
      const message = `cannot take a message of ${path}: it is larger than ${bytesMax} bytes`;
      return new ClusterError("ResourceExhausted", message);
    }
    case status.INTERNAL:
    case status.UNIMPLEMENTED: {
      const message = `cannot read a message of ${path}: it is malformed (${details ?? ""})`;
      return new ClusterError("InvalidArgument", message);
    }
    default:
      return undefined;
  }
}
