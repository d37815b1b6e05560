import { ClusterError } from "../../core/errors.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import type { StoredNode } from "../store/objects.ts";

/** One term of a placement: `node.labels.zone == a`. */
export interface Constraint {
  readonly key: string;
  readonly equal: boolean;
  readonly value: string;
}

const TERM = /^\s*([a-z0-9_.\-/]+)\s*(==|!=)\s*(\S.*?)\s*$/i;
const LABEL = /^(node|engine)\.labels\.(.+)$/i;

/** Reads a constraint term; undefined for what is none. Source: swarmkit, manager/constraint. */
export function parseConstraint(term: string): Constraint | undefined {
  const [, key = "", operator = "", value = ""] = TERM.exec(term) ?? [];
  return isKnownKey(key) ? { key, equal: operator === "==", value } : undefined;
}

/** @throws {ClusterError} `InvalidArgument` naming the first term that is none. */
export function checkConstraints(terms: readonly string[]): void {
  const wrong = terms.find((term) => parseConstraint(term) === undefined);
  if (wrong === undefined) return;
  throw new ClusterError(
    "InvalidArgument",
    `invalid expression ${wrong}: expected <key> == <value> or <key> != <value>, where the key is one of ` +
      `${KEYS.join(", ")}, node.labels.* and engine.labels.*`,
  );
}

/** Whether a node meets all terms; what is no term nobody meets. Values count without regard to case. */
export function meetsConstraints(
  constraints: readonly (Constraint | undefined)[],
  node: StoredNode,
): boolean {
  return constraints.every(
    (constraint) =>
      constraint !== undefined &&
      equalFold(nodeValue(node, constraint.key), constraint.value) === constraint.equal,
  );
}

/** What a key stands for on a node; a label that is not there is empty. Also reads spread descriptors. */
export function nodeValue(node: StoredNode, key: string): string {
  const [, scope, name = ""] = LABEL.exec(key) ?? [];
  if (scope?.toLowerCase() === "node") return own(node.spec.labels, name);
  if (scope?.toLowerCase() === "engine") return own(node.description?.engineLabels ?? {}, name);
  switch (key.toLowerCase()) {
    case "node.id":
      return node.id;
    case "node.hostname":
      return node.description?.hostname ?? "";
    case "node.ip":
      return node.status.addr;
    case "node.role":
      return node.role === NodeRole.MANAGER ? "manager" : "worker";
    case "node.platform.os":
      return node.description?.platform?.os ?? "";
    case "node.platform.arch":
      return node.description?.platform?.architecture ?? "";
    default:
      return "";
  }
}

const KEYS = [
  "node.id",
  "node.hostname",
  "node.ip",
  "node.role",
  "node.platform.os",
  "node.platform.arch",
];

function isKnownKey(key: string): boolean {
  return LABEL.test(key) || KEYS.includes(key.toLowerCase());
}

function equalFold(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A label, not something every object has: `constructor`. */
function own(labels: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? "") : "";
}
