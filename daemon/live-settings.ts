import type { AdjustableLog } from "../core/log.ts";
import type { EventSink } from "../runtime/events/types.ts";
import type { ImageStore } from "../runtime/image/image-store.ts";
import { type DaemonConfig, settingName } from "./config.ts";
import type { StaticFacts } from "./facts.ts";
import { planReload } from "./reload.ts";

export interface LiveParts {
  readonly facts: StaticFacts;
  readonly images: Pick<ImageStore, "setRegistries">;
  readonly events: EventSink;
  /** Others flush the machine's rules when they are reloaded, and then have us reloaded too. */
  readonly repair: { run(): void };
  readonly log: AdjustableLog;
}

/** The settings that may change while the daemon runs, and who must hear of it. */
export class LiveSettings {
  #config: DaemonConfig;
  readonly #parts: LiveParts;

  constructor(config: DaemonConfig, parts: LiveParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** This machine as it is to be shown now. */
  facts(): StaticFacts {
    const { labels, insecureRegistries, registryMirrors } = this.#config;
    return { ...this.#parts.facts, labels, insecureRegistries, registryMirrors };
  }

  /**
   * Takes what has changed and can be taken; the log says what waits for the next start.
   *
   * Managers learn of labels when this node's next session with one begins.
   */
  reload(read: DaemonConfig): void {
    const { images, events, log, facts, repair } = this.#parts;
    const { config, changed, waiting } = planReload(this.#config, read);
    this.#config = config;
    log.setLevel(config.logLevel);
    images.setRegistries(config);
    repair.run();
    log.info("read the configuration again", { changed: changed.map(settingName) });
    if (waiting.length > 0)
      log.warn("changed settings wait until musterd is started again", {
        settings: waiting.map(settingName),
      });
    const attributes = reloadAttributes(facts.name, config, changed);
    events.publish({ type: "daemon", action: "reload", actorId: facts.id, attributes });
  }
}

/** What the journal says of a configuration that was read again. Source: moby, daemon/reload.go. */
function reloadAttributes(
  name: string,
  { logLevel, labels, insecureRegistries, registryMirrors }: DaemonConfig,
  changed: readonly (keyof DaemonConfig)[],
): Readonly<Record<string, string>> {
  return {
    name,
    changed: changed.map(settingName).join(","),
    debug: String(logLevel === "debug"),
    labels: JSON.stringify(labels),
    "insecure-registries": JSON.stringify(insecureRegistries),
    "registry-mirrors": JSON.stringify(registryMirrors),
    "live-restore": "true",
  };
}
