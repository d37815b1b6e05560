import { MANAGER_CHANNEL_OPTIONS, NodeCredentials } from "../../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../../manager/ca/node-certificate.ts";
import type { Control } from "../../../manager/control/control.ts";
import { remoteControl } from "../../../manager/control/remote-control.ts";
import { withCallStream } from "../../../manager/rpc/call-stream.ts";
import { ControlClient, ControlService } from "../../../proto/gen/control.ts";
import type { NodeSpec } from "../../../proto/gen/objects.ts";
import { connectionsFor, type Driver } from "./driver.ts";

interface Written {
  version: number;
  readonly spec: NodeSpec;
}

/** The node that client `n` writes a label of. */
export function benchNodeId(client: number): string {
  return `bench${String(client).padStart(20, "0")}`;
}

/** Updates of node labels by compare-and-set, the way a manager passes its users' requests on to the leader. */
export class MusterDriver implements Driver {
  readonly #addr: string;
  readonly #credentials: NodeCredentials;
  readonly #written: Written[] = [];
  #clients: readonly ControlClient[] = [];
  #controls: readonly Control[] = [];

  constructor(addr: string, certificate: NodeCertificate) {
    this.#addr = addr;
    this.#credentials = new NodeCredentials(certificate);
  }

  async prepare(count: number): Promise<void> {
    const options = { ...MANAGER_CHANNEL_OPTIONS, "grpc.use_local_subchannel_pool": 1 };
    this.#clients = Array.from({ length: connectionsFor(count) }, () =>
      withCallStream(
        new ControlClient(this.#addr, this.#credentials.toManager(), options),
        ControlService,
      ),
    );
    this.#controls = this.#clients.map(remoteControl);
    for (let client = 0; client < count; client++) {
      const { node } = await this.#controlOf(client).getNode(benchNodeId(client));
      if (node?.spec === undefined) throw new Error(`node ${benchNodeId(client)} has no spec`);
      this.#written.push({ version: node.meta?.version ?? 0, spec: node.spec });
    }
  }

  async write(client: number, value: string): Promise<void> {
    const last = this.#written[client];
    if (last === undefined) throw new Error("prepare comes first");
    const spec = { ...last.spec, labels: { value } };
    const node = await this.#controlOf(client).updateNode(benchNodeId(client), last.version, spec);
    last.version = node.meta?.version ?? 0;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #controlOf(client: number): Control {
    const control = this.#controls[client % this.#controls.length];
    if (control === undefined) throw new Error("prepare comes first");
    return control;
  }
}
