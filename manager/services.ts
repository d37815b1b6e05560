import { CAService } from "../proto/gen/ca.ts";
import { ControlService } from "../proto/gen/control.ts";
import { DispatcherService } from "../proto/gen/dispatcher.ts";
import { MembershipService } from "../proto/gen/membership.ts";
import { authorizationInterceptor, type CurrentRole } from "./ca/authorization.ts";
import { caService } from "./ca/ca-service.ts";
import type { Control } from "./control/control.ts";
import { controlService } from "./control/control-service.ts";
import type { Leader } from "./leader.ts";
import type { ManagerCore } from "./manager-core.ts";
import { membershipService } from "./membership/membership-service.ts";
import { RefusalLog } from "./rpc/refusal-log.ts";
import type { Security, Served } from "./rpc/server.ts";

/** All that a manager serves to other nodes, on one port. */
export function services(core: ManagerCore, leader: Leader, local: Control): Served[] {
  const { options, store, proposer, replicatedLog, logServices } = core;
  const { credentials, clock, random, log } = options;
  const ca = caService({
    view: () => store.view(),
    proposer,
    readBarrier: () => replicatedLog.readBarrier(),
    rootPem: () => credentials.certificate.rootPem,
    clock,
    random,
    log: log.child({ component: "ca" }),
  });
  const membership = membershipService({
    view: () => store.view(),
    proposer,
    replicatedLog,
    log: log.child({ component: "membership" }),
  });
  return [
    { definition: CAService, implementation: ca },
    ...logServices,
    { definition: DispatcherService, implementation: leader.dispatcher.handlers },
    { definition: MembershipService, implementation: membership },
    { definition: ControlService, implementation: controlService(local) },
  ];
}

/** Asks every caller for a certificate and refuses what it does not allow. */
export function security(core: ManagerCore): Security {
  const { options } = core;
  const own = { clusterId: options.credentials.identity.clusterId, currentRole: currentRole(core) };
  const refusals = new RefusalLog(options.log.child({ component: "authorization" }), options.clock);
  const interceptor = authorizationInterceptor(own, (error, peer) =>
    refusals.warn(error.message, { peer, ...error.details }),
  );
  // A log of their own: a flood of broken connections must not hide who was refused a call.
  const broken = new RefusalLog(options.log.child({ component: "port" }), options.clock);
  return {
    identity: options.credentials.server(),
    interceptors: [interceptor],
    onRefused: (message, fields) => broken.warn(message, fields),
  };
}

/** Only the leader can tell a node that was removed from one it has not yet heard of. */
function currentRole({ store, replicatedLog }: ManagerCore): CurrentRole {
  return (nodeId) => {
    const view = store.view();
    const node = view.nodes.get(nodeId);
    if (node !== undefined) return node.role;
    return replicatedLog.leadership().isLeader && view.cluster !== undefined
      ? "removed"
      : "unknown";
  };
}
