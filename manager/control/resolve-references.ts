import type { ConfigReference, SecretReference } from "../../proto/gen/objects.ts";
import type { View } from "../store/tables.ts";
import { refuse } from "./validate/refuse.ts";
import type { CheckedServiceSpec } from "./validate/service-spec.ts";

/**
 * The spec with each config and secret by id and name; a reference may bring one of the two.
 *
 * @throws {ClusterError} `InvalidArgument` naming those that are not there. Texts are Docker's.
 */
export function resolveReferences(view: View, spec: CheckedServiceSpec): CheckedServiceSpec {
  const { container } = spec.task;
  if (container === undefined) return spec;
  const secrets = container.secrets.map((reference): SecretReference => {
    const { id, name } = resolve(view.secrets, reference.secretId, reference.secretName);
    return { ...reference, secretId: id, secretName: name };
  });
  refuseMissing(
    "secret",
    secrets.map(({ secretId: id, secretName: name }) => ({ id, name })),
  );
  const configs = container.configs.map((reference): ConfigReference => {
    const { id, name } = resolve(view.configs, reference.configId, reference.configName);
    return { ...reference, configId: id, configName: name };
  });
  refuseMissing(
    "config",
    configs.map(({ configId: id, configName: name }) => ({ id, name })),
  );
  return { ...spec, task: { ...spec.task, container: { ...container, secrets, configs } } };
}

interface Found {
  /** Empty: there is none. */
  readonly id: string;
  readonly name: string;
}

interface PayloadTable {
  get(id: string): { readonly id: string; readonly spec: { readonly name: string } } | undefined;
  byName(
    name: string,
  ): { readonly id: string; readonly spec: { readonly name: string } } | undefined;
}

function resolve(table: PayloadTable, id: string, name: string): Found {
  const object = id === "" ? table.byName(name) : table.get(id);
  const isMeant = object !== undefined && (id === "" || name === "" || object.spec.name === name);
  return isMeant ? { id: object.id, name: object.spec.name } : { id: "", name: name || id };
}

function refuseMissing(kind: "config" | "secret", references: readonly Found[]): void {
  const missing = references.filter(({ id }) => id === "").map(({ name }) => name);
  if (missing.length === 0) return;
  refuse(`${missing.length === 1 ? kind : `${kind}s`} not found: ${missing.join(", ")}`);
}
