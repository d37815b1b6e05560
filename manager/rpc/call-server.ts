import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import type { Call, CallAnswer, CallAnswerBatch, CallBatch } from "../../proto/gen/control.ts";
import { callFailure } from "../../proto/rpc-status.ts";
import { STREAM_CALLS_MAX } from "./call-stream.ts";
import { TurnBatch } from "./turn-batch.ts";

type CallsCall = ServerDuplexStream<CallBatch, CallAnswerBatch>;
type Unary = handleUnaryCall<unknown, unknown>;

/** A unary method of the service, and what serves it. */
interface Served {
  readonly method: MethodDefinition<unknown, unknown>;
  readonly handler: Unary;
}

/**
 * Serves the unary methods of `service` over one stream too: `handlers` are the same that serve them as calls of their
 * own. Who may open the stream may call them all: the service's right, not a method's.
 */
export function serveCalls(
  service: ServiceDefinition,
  handlers: UntypedServiceImplementation,
): handleBidiStreamingCall<CallBatch, CallAnswerBatch> {
  const served = new Map<string, Served>();
  for (const [name, method] of Object.entries(service)) {
    if (method.requestStream || method.responseStream) continue;
    const handler = handlers[name] as Unary | undefined;
    if (handler !== undefined) served.set(name, { method, handler });
  }
  return (stream) => new CallsSession(stream, served).start();
}

/** One caller's stream: it is not read from while too many of its calls are under way or it does not take its answers. */
class CallsSession {
  readonly #stream: CallsCall;
  readonly #served: ReadonlyMap<string, Served>;
  readonly #batch = new TurnBatch<CallAnswer>((answers) => this.#send(answers), answerBytes);
  #underWay = 0;
  #isBlocked = false;
  #hasEnded = false;

  constructor(stream: CallsCall, served: ReadonlyMap<string, Served>) {
    this.#stream = stream;
    this.#served = served;
  }

  start(): void {
    const stream = this.#stream;
    stream.on("data", ({ calls }: CallBatch) => {
      for (const call of calls) this.#onCall(call);
    });
    stream.on("drain", () => {
      this.#isBlocked = false;
      this.#readOn();
    });
    stream.on("end", () => {
      this.#hasEnded = true;
      this.#endWhenDone();
    });
    // Its caller has gone, and with it everybody who wanted an answer.
    stream.on("error", () => undefined);
  }

  #onCall({ id, method: name, request }: Call): void {
    this.#underWay++;
    if (this.#underWay >= STREAM_CALLS_MAX) this.#stream.pause();
    const served = this.#served.get(name);
    if (served === undefined) {
      const unknown = new ClusterError("Unimplemented", `this manager knows no call ${name}`);
      this.#answer({ id, outcome: { $case: "failure", value: callFailure(unknown) } });
      return;
    }
    const { method, handler } = served;
    let message: unknown;
    try {
      message = method.requestDeserialize(request as Buffer);
    } catch {
      const malformed = new ClusterError("InvalidArgument", `cannot read the request of ${name}`);
      this.#answer({ id, outcome: { $case: "failure", value: callFailure(malformed) } });
      return;
    }
    handler(this.#callFor(message), (error, response) => {
      if (error === null || error === undefined) {
        const value = method.responseSerialize(response);
        this.#answer({ id, outcome: { $case: "response", value } });
      } else {
        this.#answer({ id, outcome: { $case: "failure", value: callFailure(error) } });
      }
    });
  }

  /** As much of a unary call as handlers look at. */
  #callFor(request: unknown): ServerUnaryCall<unknown, unknown> {
    const stream = this.#stream;
    const call = { request, getAuthContext: () => stream.getAuthContext() };
    return call as unknown as ServerUnaryCall<unknown, unknown>;
  }

  #answer(answer: CallAnswer): void {
    this.#underWay--;
    this.#batch.add(answer);
  }

  #send(answers: CallAnswer[]): void {
    if (this.#stream.cancelled) return;
    if (!this.#stream.write({ answers })) {
      this.#isBlocked = true;
      this.#stream.pause();
    }
    this.#readOn();
    this.#endWhenDone();
  }

  #readOn(): void {
    const mayRead = !this.#isBlocked && this.#underWay < STREAM_CALLS_MAX;
    if (mayRead && this.#stream.isPaused()) this.#stream.resume();
  }

  #endWhenDone(): void {
    if (this.#hasEnded && this.#underWay === 0 && this.#batch.isEmpty) this.#stream.end();
  }
}

function answerBytes({ outcome }: CallAnswer): number {
  return outcome?.$case === "response" ? outcome.value.length : 0;
}
