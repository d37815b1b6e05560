import type { Command } from "commander";
import type { Context } from "./context.ts";

/** Adds a command to its parent. */
export type Add = (parent: Command, context: Context) => void;

/** Commands by what is typed, each loaded when it is needed: to load all takes longer than most need to run. */
export type Verbs = Readonly<Record<string, () => Promise<Add>>>;

export interface Group {
  readonly description: string;
  readonly verbs: Verbs;
}

/** Those that are typed without their group too: `muster logs web`. */
const CONTAINER_VERBS: Verbs = {
  run: async () => (await import("./commands/container/run.ts")).addContainerRun,
  create: async () => (await import("./commands/container/create.ts")).addContainerCreate,
  exec: async () => (await import("./commands/container/exec.ts")).addContainerExec,
  attach: async () => (await import("./commands/container/attach.ts")).addContainerAttach,
  start: async () => (await import("./commands/container/start.ts")).addContainerStart,
  stop: async () => (await import("./commands/container/stop.ts")).addContainerStop,
  restart: async () => (await import("./commands/container/restart.ts")).addContainerRestart,
  kill: async () => (await import("./commands/container/kill.ts")).addContainerKill,
  pause: async () => (await import("./commands/container/pause.ts")).addContainerPause,
  unpause: async () => (await import("./commands/container/unpause.ts")).addContainerUnpause,
  update: async () => (await import("./commands/container/update.ts")).addContainerUpdate,
  rename: async () => (await import("./commands/container/rename.ts")).addContainerRename,
  rm: async () => (await import("./commands/container/rm.ts")).addContainerRm,
  wait: async () => (await import("./commands/container/wait.ts")).addContainerWait,
  logs: async () => (await import("./commands/container/logs.ts")).addContainerLogs,
  top: async () => (await import("./commands/container/top.ts")).addContainerTop,
  port: async () => (await import("./commands/container/port.ts")).addContainerPort,
  commit: async () => (await import("./commands/container/commit.ts")).addContainerCommit,
  cp: async () => (await import("./commands/container/cp.ts")).addContainerCp,
  diff: async () => (await import("./commands/container/diff.ts")).addContainerDiff,
  export: async () => (await import("./commands/container/export.ts")).addContainerExport,
  stats: async () => (await import("./commands/container/stats.ts")).addContainerStats,
};

const IMAGE_VERBS: Verbs = {
  build: async () => (await import("./commands/image/build.ts")).addBuild,
  pull: async () => (await import("./commands/image/pull.ts")).addPull,
  push: async () => (await import("./commands/image/push.ts")).addPush,
  tag: async () => (await import("./commands/image/tag.ts")).addTag,
  history: async () => (await import("./commands/image/history.ts")).addHistory,
  load: async () => (await import("./commands/image/load.ts")).addLoad,
  save: async () => (await import("./commands/image/save.ts")).addSave,
  import: async () => (await import("./commands/image/import.ts")).addImport,
};

/** Docker's grammar: groups of verbs. */
export const GROUPS: ReadonlyMap<string, Group> = new Map(
  Object.entries({
    swarm: {
      description: "Start, join and leave a swarm",
      verbs: {
        init: async () => (await import("./commands/swarm/init.ts")).addSwarmInit,
        join: async () => (await import("./commands/swarm/join.ts")).addSwarmJoin,
        "join-token": async () =>
          (await import("./commands/swarm/join-token.ts")).addSwarmJoinToken,
        leave: async () => (await import("./commands/swarm/leave.ts")).addSwarmLeave,
        unlock: async () => (await import("./commands/swarm/unlock.ts")).addSwarmUnlock,
        "unlock-key": async () =>
          (await import("./commands/swarm/unlock-key.ts")).addSwarmUnlockKey,
        update: async () => (await import("./commands/swarm/update.ts")).addSwarmUpdate,
        ca: async () => (await import("./commands/swarm/ca.ts")).addSwarmCa,
      },
    },
    cluster: {
      description: "Save and recover the swarm's state",
      verbs: {
        backup: async () => (await import("./commands/cluster/backup.ts")).addClusterBackup,
        restore: async () => (await import("./commands/cluster/restore.ts")).addClusterRestore,
        recover: async () => (await import("./commands/cluster/recover.ts")).addClusterRecover,
      },
    },
    node: {
      description: "Manage the nodes of the swarm",
      verbs: {
        ls: async () => (await import("./commands/node/ls.ts")).addNodeLs,
        inspect: async () => (await import("./commands/node/inspect.ts")).addNodeInspect,
        ps: async () => (await import("./commands/node/ps.ts")).addNodePs,
        update: async () => (await import("./commands/node/update.ts")).addNodeUpdate,
        promote: async () => (await import("./commands/node/update.ts")).addNodePromote,
        demote: async () => (await import("./commands/node/update.ts")).addNodeDemote,
        rm: async () => (await import("./commands/node/rm.ts")).addNodeRm,
        approve: async () => (await import("./commands/node/approve.ts")).addNodeApprove,
      },
    },
    service: {
      description: "Manage services",
      verbs: {
        create: async () => (await import("./commands/service/create.ts")).addServiceCreate,
        ls: async () => (await import("./commands/service/ls.ts")).addServiceLs,
        ps: async () => (await import("./commands/service/ps.ts")).addServicePs,
        inspect: async () => (await import("./commands/service/inspect.ts")).addServiceInspect,
        logs: async () => (await import("./commands/service/logs.ts")).addServiceLogs,
        scale: async () => (await import("./commands/service/scale.ts")).addServiceScale,
        update: async () => (await import("./commands/service/update.ts")).addServiceUpdate,
        rollback: async () => (await import("./commands/service/update.ts")).addServiceRollback,
        rm: async () => (await import("./commands/service/rm.ts")).addServiceRm,
      },
    },
    config: {
      description: "Manage configs: files that tasks read",
      verbs: {
        create: async () => (await import("./commands/payload/create.ts")).addConfigCreate,
        ls: async () => (await import("./commands/payload/ls.ts")).addConfigLs,
        inspect: async () => (await import("./commands/payload/inspect.ts")).addConfigInspect,
        rm: async () => (await import("./commands/payload/rm.ts")).addConfigRm,
      },
    },
    secret: {
      description: "Manage secrets: files that only the tasks given them read",
      verbs: {
        create: async () => (await import("./commands/payload/create.ts")).addSecretCreate,
        ls: async () => (await import("./commands/payload/ls.ts")).addSecretLs,
        inspect: async () => (await import("./commands/payload/inspect.ts")).addSecretInspect,
        rm: async () => (await import("./commands/payload/rm.ts")).addSecretRm,
      },
    },
    container: {
      description: "Manage the containers of this node",
      verbs: {
        ls: async () => (await import("./commands/container/ls.ts")).addContainerLs,
        inspect: async () => (await import("./commands/container/inspect.ts")).addContainerInspect,
        prune: async () => (await import("./commands/container/prune.ts")).addContainerPrune,
        ...CONTAINER_VERBS,
      },
    },
    image: {
      description: "Manage the images of this node",
      verbs: {
        ...IMAGE_VERBS,
        ls: async () => (await import("./commands/image/ls.ts")).addImageLs,
        inspect: async () => (await import("./commands/image/inspect.ts")).addImageInspect,
        rm: async () => (await import("./commands/image/rm.ts")).addImageRm,
        prune: async () => (await import("./commands/image/prune.ts")).addImagePrune,
      },
    },
    builder: {
      description: "Build images, and clear what builds keep",
      verbs: {
        build: async () => (await import("./commands/image/build.ts")).addBuild,
        prune: async () => (await import("./commands/builder/prune.ts")).addBuilderPrune,
      },
    },
    volume: {
      description: "Manage the volumes of this node",
      verbs: {
        create: async () => (await import("./commands/volume/create.ts")).addVolumeCreate,
        ls: async () => (await import("./commands/volume/ls.ts")).addVolumeLs,
        inspect: async () => (await import("./commands/volume/inspect.ts")).addVolumeInspect,
        rm: async () => (await import("./commands/volume/rm.ts")).addVolumeRm,
        prune: async () => (await import("./commands/volume/prune.ts")).addVolumePrune,
      },
    },
    system: {
      description: "See what this node is, has and does",
      verbs: {
        info: async () => (await import("./commands/system/info.ts")).addInfo,
        df: async () => (await import("./commands/system/df.ts")).addDf,
        events: async () => (await import("./commands/system/events.ts")).addEvents,
        prune: async () => (await import("./commands/system/prune.ts")).addSystemPrune,
      },
    },
    network: {
      description: "Manage networks",
      verbs: {
        create: async () => (await import("./commands/network/create.ts")).addNetworkCreate,
        ls: async () => (await import("./commands/network/ls.ts")).addNetworkLs,
        inspect: async () => (await import("./commands/network/inspect.ts")).addNetworkInspect,
        rm: async () => (await import("./commands/network/rm.ts")).addNetworkRm,
        prune: async () => (await import("./commands/network/prune.ts")).addNetworkPrune,
        connect: async () => (await import("./commands/network/connect.ts")).addNetworkConnect,
        disconnect: async () =>
          (await import("./commands/network/disconnect.ts")).addNetworkDisconnect,
      },
    },
  }),
);

/** Verbs that stand at the top, under the names docker has for them there. */
export const TOP_LEVEL: Verbs = {
  ps: async () => (await import("./commands/container/ls.ts")).addPs,
  ...CONTAINER_VERBS,
  ...IMAGE_VERBS,
  images: async () => {
    const { addImageLs } = await import("./commands/image/ls.ts");
    return (parent, context) => addImageLs(parent, context, "images");
  },
  rmi: async () => {
    const { addImageRm } = await import("./commands/image/rm.ts");
    return (parent, context) => addImageRm(parent, context, "rmi");
  },
  login: async () => (await import("./commands/system/login.ts")).addLogin,
  logout: async () => (await import("./commands/system/logout.ts")).addLogout,
  events: async () => (await import("./commands/system/events.ts")).addEvents,
  inspect: async () => (await import("./commands/system/inspect.ts")).addInspect,
  search: async () => (await import("./commands/image/search.ts")).addSearch,
  version: async () => (await import("./commands/system/version.ts")).addVersion,
  info: async () => (await import("./commands/system/info.ts")).addInfo,
};
