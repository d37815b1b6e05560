import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { silentLog } from "../../../core/log.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { controlService } from "../../../manager/control/control-service.ts";
import { leaderControl } from "../../../manager/control/leader-control.ts";
import { NodeSession, type Said } from "../../../manager/dispatcher/node-session.ts";
import { EndpointTables } from "../../../manager/endpoints/endpoint-tables.ts";
import { MemoryLog } from "../../../manager/log/memory-log.ts";
import { ControlService } from "../../../proto/gen/control.ts";
import { Hello, ManagerMessage } from "../../../proto/gen/dispatcher.ts";
import type { MeasuredCluster } from "./measured-cluster.ts";

/** A message as it goes over the wire. */
export interface Message {
  readonly what: string;
  readonly bytes: number;
}

/** All a manager says to a worker that has just come into session. */
export function sessionMessages({ view }: MeasuredCluster, nodeId: string): Message[] {
  const messages: Message[] = [];
  const channel = {
    nodeId,
    peerAddr: "192.0.2.1",
    congested: false,
    send: (kind: Said) => {
      const bytes = ManagerMessage.encode({ kind }).finish().length;
      messages.push({ what: kind.$case, bytes });
    },
    end: () => undefined,
  };
  new NodeSession("s", channel, Hello.create()).update(view, new EndpointTables(view), () => false);
  return messages;
}

const LISTS = ["listServices", "listTasks", "listNodes", "listNetworks", "listConfigs"] as const;

/** All that one manager answers another when it is asked for every list, and for each object of some kinds. */
export async function controlMessages(cluster: MeasuredCluster): Promise<Message[]> {
  const service = controlService(
    leaderControl({
      view: () => cluster.view,
      stateMachine: cluster.store,
      proposer: cluster.proposer,
      replicatedLog: new MemoryLog(cluster.store),
      logs: { read: () => expectNothing() },
      clock: systemClock,
      random: cluster.random,
      randomBytes,
      log: silentLog,
    }),
  );
  const messages: Message[] = [];
  for (const list of [...LISTS, "listSecrets"] as const) {
    const { responseSerialize } = ControlService[list];
    const write = (message: never): boolean => {
      messages.push({ what: list, bytes: responseSerialize(message).length });
      return true;
    };
    await new Promise<void>((resolve, reject) => {
      const call = Object.assign(new EventEmitter(), {
        request: { filters: {} },
        cancelled: false,
        write,
        end: resolve,
      });
      call.on("error", reject);
      service[list](call as never);
    });
  }
  return messages;
}

async function* expectNothing(): AsyncGenerator<never> {
  yield* [];
}
