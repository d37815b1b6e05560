import { timingSafeEqual } from "node:crypto";
import { type ConfigId, newId, type SecretId } from "../../core/ids.ts";
import type { ConfigSpec, SecretSpec } from "../../proto/gen/objects.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { getConfig, getSecret } from "../store/find.ts";
import type { StoredConfig, StoredSecret } from "../store/objects.ts";
import type { Control, PayloadUpdate } from "./control.ts";
import { filterConfigs, filterSecrets } from "./filters.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { checkConfig, checkPayloadSpec, checkSecret } from "./validate/payload-spec.ts";
import { refuse } from "./validate/refuse.ts";

type ConfigControl = Pick<
  Control,
  "createConfig" | "getConfig" | "listConfigs" | "updateConfig" | "removeConfig"
>;
type SecretControl = Pick<
  Control,
  "createSecret" | "getSecret" | "listSecrets" | "updateSecret" | "removeSecret"
>;

/** Configs, as the leader serves them. */
export function configControl(parts: LeaderParts): ConfigControl {
  return {
    createConfig: async (wanted, data) => {
      const spec = checkConfig(wanted, data);
      const id = newId<ConfigId>(parts.random);
      const config = { id, meta: undefined, spec, data: Buffer.from(data) };
      await parts.proposer.propose([createChange("config", config)]);
      return getConfig(parts.view(), id);
    },
    getConfig: async (ref) => getConfig(await freshView(parts), ref),
    listConfigs: async function* (filters) {
      yield* filterConfigs(await freshView(parts), filters);
    },
    updateConfig: async (update) => {
      const { id, spec } = await parts.planner.plan((view) => {
        const config = getConfig(view, update.ref);
        return { id: config.id, spec: checkUpdate("config", config, update) };
      });
      const options = { ifVersion: update.version, bumpVersion: true };
      await parts.proposer.propose([updateChange("config", id, { spec }, options)]);
      return getConfig(parts.view(), id);
    },
    removeConfig: async (ref) => {
      const { id } = await parts.planner.plan((view) => getConfig(view, ref));
      await parts.proposer.propose([removeChange("config", id)]);
    },
  };
}

/** Secrets, as the leader serves them: what is in them goes to the tasks that read them and to nobody else. */
export function secretControl(parts: LeaderParts): SecretControl {
  return {
    createSecret: async (wanted, data) => {
      const spec = checkSecret(wanted, data);
      const id = newId<SecretId>(parts.random);
      const secret = { id, meta: undefined, spec, data: Buffer.from(data) };
      await parts.proposer.propose([createChange("secret", secret)]);
      return withoutData(getSecret(parts.view(), id));
    },
    getSecret: async (ref) => withoutData(getSecret(await freshView(parts), ref)),
    listSecrets: async (filters) => filterSecrets(await freshView(parts), filters).map(withoutData),
    updateSecret: async (update) => {
      const { id, spec } = await parts.planner.plan((view) => {
        const secret = getSecret(view, update.ref);
        return { id: secret.id, spec: checkUpdate("secret", secret, update) };
      });
      const options = { ifVersion: update.version, bumpVersion: true };
      await parts.proposer.propose([updateChange("secret", id, { spec }, options)]);
      return withoutData(getSecret(parts.view(), id));
    },
    removeSecret: async (ref) => {
      const { id } = await parts.planner.plan((view) => getSecret(view, ref));
      await parts.proposer.propose([removeChange("secret", id)]);
    },
  };
}

/** The one thing that may change are labels. @throws {ClusterError} `InvalidArgument`; the text is Docker's. */
function checkUpdate<T extends ConfigSpec | SecretSpec>(
  kind: "config" | "secret",
  current: StoredConfig | StoredSecret,
  { spec, data }: PayloadUpdate<T>,
): T {
  const checked = checkPayloadSpec(kind, spec);
  const sameData = data.length === 0 || equalBytes(data, current.data);
  if (checked.name === current.spec.name && sameData) return checked;
  return refuse("only updates to Labels are allowed");
}

/** In a time that tells nothing of where they differ. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function withoutData(secret: StoredSecret): StoredSecret {
  return { ...secret, data: Buffer.alloc(0) };
}
