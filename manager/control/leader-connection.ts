import { ClusterError } from "../../core/errors.ts";
import { ControlClient } from "../../proto/gen/control.ts";
import { MANAGER_CHANNEL_OPTIONS, type NodeCredentials } from "../ca/credentials.ts";
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
      this.#current = { nodeId, addr, client };
    }
    const { client } = this.#current;
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => {
        if (error === undefined) resolve();
        else reject(unreachable(leader, error));
      });
    });
    return remoteControl(client);
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#current?.client.close();
    this.#current = undefined;
  }
}

function unreachable({ nodeId, addr }: { nodeId: string; addr: string }, cause: Error) {
  return new ClusterError("Unavailable", `the leader ${nodeId} cannot be reached at ${addr}`, {
    cause,
    details: { nodeId, addr },
  });
}
