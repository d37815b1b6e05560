import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import { ControlClient, ControlService } from "../../proto/gen/control.ts";
import { MANAGER_CHANNEL_OPTIONS, type NodeCredentials } from "../ca/credentials.ts";
import { withCallStream } from "../rpc/call-stream.ts";
import type { Control } from "./control.ts";
import { remoteControl } from "./remote-control.ts";

/** How long a connection to the leader may take. */
const CONNECT_TIMEOUT_MS = 2_000;

interface Connection {
  readonly nodeId: string;
  readonly addr: string;
  readonly client: ControlClient;
}

/** The one connection this manager keeps to the leader, whoever that is. */
export class LeaderConnection {
  readonly #credentials: Pick<NodeCredentials, "toManager">;
  #current: Connection | undefined;

  constructor(credentials: Pick<NodeCredentials, "toManager">) {
    this.#credentials = credentials;
  }

  /**
   * Control of the manager named, once it is connected.
   *
   * @throws {ClusterError} `Unavailable` when it cannot be reached or is another node: nothing was asked of it.
   */
  async connect(leader: { readonly nodeId: string; readonly addr: string }): Promise<Control> {
    const { nodeId, addr } = leader;
    if (this.#current?.nodeId !== nodeId || this.#current.addr !== addr) {
      this.close();
      const credentials = this.#credentials.toManager(nodeId);
      const client = new ControlClient(addr, credentials, MANAGER_CHANNEL_OPTIONS);
      this.#current = { nodeId, addr, client: withCallStream(client, ControlService) };
    }
    const { client } = this.#current;
    try {
      await ready(client.getChannel());
    } catch (cause) {
      // A new connection tries at once; this one would wait first.
      if (this.#current?.client === client) this.close();
      const message = `the leader ${nodeId} cannot be reached at ${addr}`;
      throw new ClusterError("Unavailable", message, { cause, details: { nodeId, addr } });
    }
    return remoteControl(client);
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#current?.client.close();
    this.#current = undefined;
  }
}

/** Resolves once the channel is connected; rejects when its first try fails or takes too long. */
async function ready(channel: ChannelInterface): Promise<void> {
  const deadline = Date.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return;
    if (state === connectivityState.TRANSIENT_FAILURE) throw new Error("connection failed");
    await new Promise<void>((resolve, reject) => {
      channel.watchConnectivityState(state, deadline, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }
}
