import type { NodeView } from "../../proto/gen/control.ts";
import {
  type Node,
  NodeAvailability,
  NodeRole,
  type NodeSpec,
  NodeState,
} from "../../proto/gen/objects.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty, wireMeta, wordOf } from "./common.ts";
import { writeTlsInfo } from "./swarm.ts";

const ROLES = { worker: NodeRole.WORKER, manager: NodeRole.MANAGER } as const;

const AVAILABILITIES = {
  active: NodeAvailability.ACTIVE,
  pause: NodeAvailability.PAUSE,
  drain: NodeAvailability.DRAIN,
} as const;

const STATES = {
  unknown: NodeState.UNKNOWN,
  down: NodeState.DOWN,
  ready: NodeState.READY,
  disconnected: NodeState.DISCONNECTED,
} as const;

/** Reads a NodeSpec, the body of a node's update: the role and availability must be said, as Docker wants it. */
export function readNodeSpec(body: unknown): NodeSpec {
  const json = new JsonReader(body, "NodeSpec");
  return {
    name: json.string("Name"),
    labels: json.stringMap("Labels"),
    role: json.choice("Role", ROLES, NodeRole.WORKER),
    availability: json.choice("Availability", AVAILABILITIES, NodeAvailability.ACTIVE),
  };
}

/** The availability in a body of swarm init and join. */
export function readAvailability(json: JsonReader): NodeAvailability {
  return json.choice("Availability", AVAILABILITIES, NodeAvailability.ACTIVE);
}

export function writeNode(view: NodeView): Record<string, unknown> {
  const node = view.node;
  if (node === undefined) return {};
  return {
    ...wireMeta(node.id, node.meta),
    Spec: writeNodeSpec(node),
    Description: writeDescription(node),
    Status: omitEmpty({
      State: wordOf(STATES, node.status?.state ?? NodeState.UNKNOWN),
      Message: node.status?.message,
      Addr: node.status?.addr,
    }),
    ...(node.manager === undefined
      ? {}
      : {
          ManagerStatus: omitEmpty({
            Leader: view.leader,
            Reachability: view.reachable ? "reachable" : "unreachable",
            Addr: node.manager.addr,
          }),
        }),
  };
}

function writeNodeSpec(node: Node): Record<string, unknown> {
  const spec = node.spec;
  return {
    ...omitEmpty({ Name: spec?.name }),
    Labels: spec?.labels ?? {},
    Role: wordOf(ROLES, spec?.role ?? NodeRole.WORKER),
    Availability: wordOf(AVAILABILITIES, spec?.availability ?? NodeAvailability.ACTIVE),
  };
}

function writeDescription({ description, tls }: Node): Record<string, unknown> {
  return {
    ...omitEmpty({ Hostname: description?.hostname }),
    Platform: omitEmpty({
      Architecture: description?.platform?.architecture,
      OS: description?.platform?.os,
    }),
    Resources: {
      NanoCPUs: description?.resources?.nanoCpus ?? 0,
      MemoryBytes: description?.resources?.memoryBytes ?? 0,
    },
    Engine: {
      EngineVersion: description?.engineVersion ?? "",
      Labels: description?.engineLabels ?? {},
      Plugins: [],
    },
    TLSInfo: tls && writeTlsInfo(tls),
  };
}
