import type { EtcdAccess } from "./log/etcd/etcd3-kv.ts";
import type { OpenLog } from "./open-log.ts";

/** Where the swarm's state lies in etcd. */
export interface EtcdPlace {
  readonly access: EtcdAccess;
  /** Before the swarm's own part of the keys: `/muster`. */
  readonly prefix: string;
}

/**
 * The log in an existing etcd cluster. Managers do not speak to each other for it, so it serves nothing.
 *
 * @param findPlace asked at each opening: certificates and passwords change.
 */
export function openEtcd(findPlace: () => EtcdPlace): OpenLog {
  return async (member, stateMachine) => {
    const { access, prefix } = findPlace();
    // Loaded by those alone who use it: it takes 130 ms.
    const [{ Etcd3Kv }, { openEtcdLog }] = await Promise.all([
      import("./log/etcd/etcd3-kv.ts"),
      import("./log/etcd/etcd-log.ts"),
    ]);
    const { credentials, raftId, advertiseAddr: addr, start, clock, onFatal } = member;
    const { nodeId, clusterId } = credentials.identity;
    const { onExpelled = () => undefined, generation = () => 0 } = member;
    const reason = "the managers took it out of their group";
    const replicatedLog = await openEtcdLog({
      ...{ kv: new Etcd3Kv(access), prefix, clusterId, raftId, nodeId, addr, start },
      onExpelled: () => onExpelled({ generation: generation(), reason }),
      ...{ stateMachine, clock, onFatal, log: member.log.child({ component: "etcd" }) },
    });
    return { replicatedLog, services: [] };
  };
}
