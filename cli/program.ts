import type { Command } from "commander";
import type { Access } from "./client/access.ts";
import { addClusterBackup } from "./commands/cluster/backup.ts";
import { addClusterRecover } from "./commands/cluster/recover.ts";
import { addClusterRestore } from "./commands/cluster/restore.ts";
import { addContainerAttach } from "./commands/container/attach.ts";
import { addContainerCommit } from "./commands/container/commit.ts";
import { addContainerCp } from "./commands/container/cp.ts";
import { addContainerCreate } from "./commands/container/create.ts";
import { addContainerDiff } from "./commands/container/diff.ts";
import { addContainerExec } from "./commands/container/exec.ts";
import { addContainerExport } from "./commands/container/export.ts";
import { addContainerInspect } from "./commands/container/inspect.ts";
import { addContainerKill } from "./commands/container/kill.ts";
import { addContainerLogs } from "./commands/container/logs.ts";
import { addContainerLs, addPs } from "./commands/container/ls.ts";
import { addContainerPause } from "./commands/container/pause.ts";
import { addContainerPort } from "./commands/container/port.ts";
import { addContainerPrune } from "./commands/container/prune.ts";
import { addContainerRename } from "./commands/container/rename.ts";
import { addContainerRestart } from "./commands/container/restart.ts";
import { addContainerRm } from "./commands/container/rm.ts";
import { addContainerRun } from "./commands/container/run.ts";
import { addContainerStart } from "./commands/container/start.ts";
import { addContainerStats } from "./commands/container/stats.ts";
import { addContainerStop } from "./commands/container/stop.ts";
import { addContainerTop } from "./commands/container/top.ts";
import { addContainerUnpause } from "./commands/container/unpause.ts";
import { addContainerUpdate } from "./commands/container/update.ts";
import { addContainerWait } from "./commands/container/wait.ts";
import { addBuild } from "./commands/image/build.ts";
import { addHistory } from "./commands/image/history.ts";
import { addImport } from "./commands/image/import.ts";
import { addImageInspect } from "./commands/image/inspect.ts";
import { addLoad } from "./commands/image/load.ts";
import { addImageLs } from "./commands/image/ls.ts";
import { addImagePrune } from "./commands/image/prune.ts";
import { addPull } from "./commands/image/pull.ts";
import { addPush } from "./commands/image/push.ts";
import { addImageRm } from "./commands/image/rm.ts";
import { addSave } from "./commands/image/save.ts";
import { addSearch } from "./commands/image/search.ts";
import { addTag } from "./commands/image/tag.ts";
import { addNetworkConnect } from "./commands/network/connect.ts";
import { addNetworkCreate } from "./commands/network/create.ts";
import { addNetworkDisconnect } from "./commands/network/disconnect.ts";
import { addNetworkInspect } from "./commands/network/inspect.ts";
import { addNetworkLs } from "./commands/network/ls.ts";
import { addNetworkPrune } from "./commands/network/prune.ts";
import { addNetworkRm } from "./commands/network/rm.ts";
import { addNodeApprove } from "./commands/node/approve.ts";
import { addNodeInspect } from "./commands/node/inspect.ts";
import { addNodeLs } from "./commands/node/ls.ts";
import { addNodePs } from "./commands/node/ps.ts";
import { addNodeRm } from "./commands/node/rm.ts";
import { addNodeDemote, addNodePromote, addNodeUpdate } from "./commands/node/update.ts";
import { addConfigCreate, addSecretCreate } from "./commands/payload/create.ts";
import { addConfigInspect, addSecretInspect } from "./commands/payload/inspect.ts";
import { addConfigLs, addSecretLs } from "./commands/payload/ls.ts";
import { addConfigRm, addSecretRm } from "./commands/payload/rm.ts";
import { addServiceCreate } from "./commands/service/create.ts";
import { addServiceInspect } from "./commands/service/inspect.ts";
import { addServiceLogs } from "./commands/service/logs.ts";
import { addServiceLs } from "./commands/service/ls.ts";
import { addServicePs } from "./commands/service/ps.ts";
import { addServiceRm } from "./commands/service/rm.ts";
import { addServiceScale } from "./commands/service/scale.ts";
import { addServiceRollback, addServiceUpdate } from "./commands/service/update.ts";
import { addSwarmCa } from "./commands/swarm/ca.ts";
import { addSwarmInit } from "./commands/swarm/init.ts";
import { addSwarmJoin } from "./commands/swarm/join.ts";
import { addSwarmJoinToken } from "./commands/swarm/join-token.ts";
import { addSwarmLeave } from "./commands/swarm/leave.ts";
import { addSwarmUnlock } from "./commands/swarm/unlock.ts";
import { addSwarmUnlockKey } from "./commands/swarm/unlock-key.ts";
import { addSwarmUpdate } from "./commands/swarm/update.ts";
import { addDf } from "./commands/system/df.ts";
import { addEvents } from "./commands/system/events.ts";
import { addInfo } from "./commands/system/info.ts";
import { addInspect } from "./commands/system/inspect.ts";
import { addLogin } from "./commands/system/login.ts";
import { addLogout } from "./commands/system/logout.ts";
import { addSystemPrune } from "./commands/system/prune.ts";
import { addVersion } from "./commands/system/version.ts";
import { addVolumeCreate } from "./commands/volume/create.ts";
import { addVolumeInspect } from "./commands/volume/inspect.ts";
import { addVolumeLs } from "./commands/volume/ls.ts";
import { addVolumePrune } from "./commands/volume/prune.ts";
import { addVolumeRm } from "./commands/volume/rm.ts";
import type { Context } from "./context.ts";
import { addRefused } from "./flags/refused.ts";
import { Verb } from "./words/verb.ts";

type Add = (parent: Command, context: Context) => void;

/** Those that are typed without their group too: `muster logs web`. */
const CONTAINER_VERBS: readonly Add[] = [
  ...[addContainerRun, addContainerCreate, addContainerExec, addContainerAttach],
  ...[addContainerStart, addContainerStop, addContainerRestart, addContainerKill],
  ...[
    addContainerPause,
    addContainerUnpause,
    addContainerUpdate,
    addContainerRename,
    addContainerRm,
  ],
  ...[addContainerWait, addContainerLogs, addContainerTop, addContainerPort, addContainerCommit],
  ...[addContainerCp, addContainerDiff, addContainerExport, addContainerStats],
];

/** Docker's grammar: groups of verbs. */
const GROUPS: Readonly<
  Record<string, { readonly description: string; readonly verbs: readonly Add[] }>
> = {
  swarm: {
    description: "Start, join and leave a swarm",
    verbs: [
      addSwarmInit,
      addSwarmJoin,
      addSwarmJoinToken,
      addSwarmLeave,
      addSwarmUnlock,
      addSwarmUnlockKey,
      addSwarmUpdate,
      addSwarmCa,
    ],
  },
  cluster: {
    description: "Save and recover the swarm's state",
    verbs: [addClusterBackup, addClusterRestore, addClusterRecover],
  },
  node: {
    description: "Manage the nodes of the swarm",
    verbs: [
      addNodeLs,
      addNodeInspect,
      addNodePs,
      addNodeUpdate,
      addNodePromote,
      addNodeDemote,
      addNodeRm,
      addNodeApprove,
    ],
  },
  service: {
    description: "Manage services",
    verbs: [
      ...[addServiceCreate, addServiceLs, addServicePs, addServiceInspect, addServiceLogs],
      ...[addServiceScale, addServiceUpdate, addServiceRollback, addServiceRm],
    ],
  },
  config: {
    description: "Manage configs: files that tasks read",
    verbs: [addConfigCreate, addConfigLs, addConfigInspect, addConfigRm],
  },
  secret: {
    description: "Manage secrets: files that only the tasks given them read",
    verbs: [addSecretCreate, addSecretLs, addSecretInspect, addSecretRm],
  },
  container: {
    description: "Manage the containers of this node",
    verbs: [addContainerLs, addContainerInspect, addContainerPrune, ...CONTAINER_VERBS],
  },
  image: {
    description: "Manage the images of this node",
    verbs: [
      addBuild,
      ...[addPull, addPush, addTag, addImageLs, addImageInspect, addHistory],
      ...[addImageRm, addImagePrune, addLoad, addSave, addImport],
    ],
  },
  volume: {
    description: "Manage the volumes of this node",
    verbs: [addVolumeCreate, addVolumeLs, addVolumeInspect, addVolumeRm, addVolumePrune],
  },
  system: {
    description: "See what this node is, has and does",
    verbs: [addInfo, addDf, addEvents, addSystemPrune],
  },
  network: {
    description: "Manage networks",
    verbs: [
      ...[addNetworkCreate, addNetworkLs, addNetworkInspect, addNetworkRm, addNetworkPrune],
      ...[addNetworkConnect, addNetworkDisconnect],
    ],
  },
};

/** Verbs that stand at the top, under the names docker has for them there. */
const TOP_LEVEL: readonly Add[] = [
  addBuild,
  ...[addPull, addPush, addTag, addHistory, addLoad, addSave, addImport],
  (parent, context) => addImageLs(parent, context, "images"),
  (parent, context) => addImageRm(parent, context, "rmi"),
  ...[addLogin, addLogout, addEvents, addInspect, addSearch],
];

/** The whole command line. `setAccess` receives what says where the daemon is, before any command runs. */
export function newProgram(
  context: Context,
  version: string,
  setAccess: (access: Access) => void,
): Command {
  const program = new Verb("muster")
    .configureOutput({ writeOut: context.print, writeErr: context.warn })
    .description("Declare services; Muster keeps them running across machines.")
    .version(`Muster version ${version}`, "-v, --version")
    .enablePositionalOptions()
    .helpOption("-h, --help", "Show how to use it")
    .helpCommand("help [command]", "Show how to use a command")
    .option("-H, --host <host>", "Daemon to talk to, unix:///path or tcp://host:port")
    .option("--tls", "Speak TLS to it; implied by --tlsverify")
    .option("--tlsverify", "Speak TLS, and verify that it is the one")
    .option("--tlscacert <file>", "Who says so (default: ca.pem in MUSTER_CERT_PATH or ~/.docker)")
    .option("--tlscert <file>", "Our certificate (default: cert.pem there)")
    .option("--tlskey <file>", "Its key (default: key.pem there)")
    .option("--config <folder>", "Where logins and certificates are (default: ~/.docker)")
    .addHelpText(
      "after",
      "\nThe environment may say so too: MUSTER_HOST, MUSTER_TLS_VERIFY, MUSTER_CERT_PATH, or docker's.",
    );
  addRefused(program, "there are none: use --host", ["-c, --context <name>"]);
  program.hook("preAction", (root) => setAccess(root.opts<Access>()));
  for (const [name, { description, verbs }] of Object.entries(GROUPS)) {
    const group = program.command(name).description(description).enablePositionalOptions();
    group.helpCommand("help [command]", "Show how to use a command");
    for (const add of verbs) add(group, context);
  }
  for (const add of [addPs, ...CONTAINER_VERBS, ...TOP_LEVEL]) add(program, context);
  addVersion(program, context, version);
  addInfo(program, context);
  return program;
}
