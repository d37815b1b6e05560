import type { ServiceSpec, TaskSpec } from "../../proto/gen/objects.ts";
import type { Conflict } from "./rules.ts";
import type { View } from "./tables.ts";

/** The kinds of objects whose data tasks read as files. */
export type PayloadKind = "config" | "secret";

/** A config or secret that a spec names. */
export interface PayloadReference {
  readonly id: string;
  readonly name: string;
}

/** The configs or secrets that tasks of this spec read. */
export function payloadsOf(kind: PayloadKind, task: TaskSpec | undefined): PayloadReference[] {
  const { configs = [], secrets = [] } = task?.container ?? {};
  return kind === "config"
    ? configs.map(({ configId, configName }) => ({ id: configId, name: configName }))
    : secrets.map(({ secretId, secretName }) => ({ id: secretId, name: secretName }));
}

/**
 * Why a service may not have this spec: a config or secret it names is not there (any more).
 *
 * @param known specs it has or had: what only they name is not looked up, so that a rollback can always be made. A task
 *   whose secret is gone is refused where it would run.
 */
export function findMissingReference(
  tables: Pick<View, "configs" | "secrets">,
  spec: ServiceSpec | undefined,
  known: readonly (ServiceSpec | undefined)[],
): Conflict | undefined {
  for (const kind of ["secret", "config"] as const) {
    const old = new Set(known.flatMap((one) => payloadsOf(kind, one?.task)).map(({ id }) => id));
    const table = kind === "config" ? tables.configs : tables.secrets;
    const missing = payloadsOf(kind, spec?.task).filter(
      ({ id }) => !old.has(id) && table.get(id) === undefined,
    );
    if (missing.length === 0) continue;
    const what = missing.length === 1 ? kind : `${kind}s`;
    const names = missing.map(({ name }) => name).join(", ");
    return { code: "InvalidArgument", message: `${what} not found: ${names}` };
  }
  return undefined;
}

/** Why a config or secret may not be removed: services read it. Source: swarmkit, manager/controlapi/secret.go. */
export function findReader(
  tables: Pick<View, "services">,
  kind: PayloadKind,
  object: { readonly id: string; readonly spec: { readonly name: string } },
): Conflict | undefined {
  const readers: string[] = [];
  for (const { spec } of tables.services.values()) {
    const reads = payloadsOf(kind, spec.task).some(({ id }) => id === object.id);
    if (reads) readers.push(spec.name);
  }
  if (readers.length === 0) return undefined;
  const shown = readers.slice(0, READERS_SHOWN_MAX);
  if (readers.length > shown.length) shown.push(`${readers.length - shown.length} more`);
  const services = readers.length === 1 ? "service" : "services";
  const message = `${kind} '${object.spec.name}' is in use by the following ${services}: ${shown.join(", ")}`;
  return { code: "InvalidArgument", message };
}

/** Services named in a refusal: its text must not grow with the cluster. */
const READERS_SHOWN_MAX = 20;
