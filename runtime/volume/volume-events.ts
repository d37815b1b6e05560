import type { EventSink } from "../events/types.ts";

const DRIVER = { driver: "local" };

/** How a volume is in a container. */
export interface VolumeUse {
  readonly container: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: string;
}

/** Says what happens to volumes. Source: moby, volume/service and daemon/volumes_unix.go. */
export class VolumeEvents {
  readonly #sink: EventSink;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  happened(action: "create" | "destroy", name: string): void {
    this.#say(action, name, DRIVER);
  }

  mounted(name: string, { container, target, readOnly, propagation }: VolumeUse): void {
    const use = { container, destination: target, propagation, "read/write": String(!readOnly) };
    this.#say("mount", name, { ...DRIVER, ...use });
  }

  unmounted(name: string, container: string): void {
    this.#say("unmount", name, { ...DRIVER, container });
  }

  pruned(reclaimedBytes: number): void {
    this.#say("prune", "", { reclaimed: String(reclaimedBytes) });
  }

  #say(action: string, actorId: string, attributes: Readonly<Record<string, string>>): void {
    this.#sink.publish({ type: "volume", action, actorId, attributes });
  }
}
