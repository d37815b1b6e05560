import { ClusterError } from "../../../core/errors.ts";
import { MANAGER_CHANNEL_OPTIONS, NodeCredentials } from "../../../manager/ca/credentials.ts";
import type { NodeCertificate } from "../../../manager/ca/node-certificate.ts";
import type { Control } from "../../../manager/control/control.ts";
import { remoteControl } from "../../../manager/control/remote-control.ts";
import { withCallStream } from "../../../manager/rpc/call-stream.ts";
import { ControlClient, ControlService } from "../../../proto/gen/control.ts";
import { type Config, ConfigSpec } from "../../../proto/gen/objects.ts";
import { connectionsFor, type Driver } from "./driver.ts";

const NO_DATA = new Uint8Array(0);
const DATA = Buffer.from("bench");

/** The config a client writes a label of. */
interface OwnConfig {
  readonly id: string;
  readonly name: string;
  version: number;
}

/** Updates of configs' labels by compare-and-set, the way a manager passes its users' requests on to the leader. */
export class MusterDriver implements Driver {
  readonly #addr: string;
  readonly #credentials: NodeCredentials;
  #clients: readonly ControlClient[] = [];
  #controls: readonly Control[] = [];
  #configs: readonly OwnConfig[] = [];

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
    this.#configs = await Promise.all(
      Array.from({ length: count }, async (_, client) => {
        const name = `bench-${client}`;
        const config = await this.#findOrCreate(this.#controlOf(client), name);
        return { id: config.id, name, version: config.meta?.version ?? 0 };
      }),
    );
  }

  async write(client: number, value: string): Promise<void> {
    const own = this.#configs[client];
    if (own === undefined) throw new Error("prepare comes first");
    const { id: ref, name, version } = own;
    const spec = ConfigSpec.create({ name, labels: { value } });
    const config = await this.#controlOf(client).updateConfig({
      ref,
      version,
      spec,
      data: NO_DATA,
    });
    own.version = config.meta?.version ?? 0;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #findOrCreate(control: Control, name: string): Promise<Config> {
    try {
      return await control.getConfig(name);
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== "NotFound") throw error;
      return control.createConfig(ConfigSpec.create({ name }), DATA);
    }
  }

  #controlOf(client: number): Control {
    const control = this.#controls[client % this.#controls.length];
    if (control === undefined) throw new Error("prepare comes first");
    return control;
  }
}
