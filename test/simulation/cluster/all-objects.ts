import type { AnyObject } from "../../../manager/store/objects.ts";
import type { View } from "../../../manager/store/tables.ts";

/** Everything in the store. */
export function* allObjects(view: View): Iterable<AnyObject> {
  if (view.cluster !== undefined) yield { $case: "cluster", value: view.cluster };
  for (const value of view.networks.values()) yield { $case: "network", value };
  for (const value of view.nodes.values()) yield { $case: "node", value };
  for (const value of view.configs.values()) yield { $case: "config", value };
  for (const value of view.secrets.values()) yield { $case: "secret", value };
  for (const value of view.services.values()) yield { $case: "service", value };
  for (const value of view.revisions.values()) yield { $case: "revision", value };
  for (const value of view.tasks.values()) yield { $case: "task", value };
}
