import { ClusterError } from "../../core/errors.ts";
import { DEFAULT_SETTINGS } from "../container/settings.ts";
import type { ContainerConfig, ContainerFile, MachineContainers } from "../container/types.ts";
import type { Digest, UpperFiles } from "../image/types.ts";
import { removing, runningIn } from "./as-if-run.ts";
import type { BuildFolder } from "./build-folder.ts";
import { type RunCommand, SCRIPT_PATH } from "./plan/run-command.ts";
import type { BuildRequest } from "./types.ts";

const SHORT_ID_LENGTH = 12;
/** For the reader not to fall behind a command that writes a lot: the log goes with the container. */
const LOG_OPTIONS = { "max-size": "1g", "max-file": "2" };
/** What a run is made of. */
export interface RunJob {
  readonly image: Digest;
  readonly command: RunCommand;
  /** Beside the image's. */
  readonly env: readonly string[];
  readonly request: Pick<BuildRequest, "container" | "remove" | "forceRemove">;
  readonly folder: BuildFolder;
  readonly signal: AbortSignal;
  readonly onText: (text: string, isError: boolean) => Promise<void> | undefined;
}

/**
 * Runs a command in a container of its own and, when it has ended well, hands what it changed to `keep`.
 *
 * @throws {ClusterError} Aborted, with its `exitCode`; Cancelled; what `keep` throws. Docker's words.
 */
export async function runStep<T>(
  containers: MachineContainers,
  job: RunJob,
  keep: (changes: UpperFiles) => Promise<T>,
): Promise<T> {
  const { folder, request, onText } = job;
  const name = await folder.claimContainer();
  const { id } = await containers.create(configOf(name, job));
  const short = id.slice(0, SHORT_ID_LENGTH);
  const remove = async () => {
    await containers.remove(id, { force: true });
    await folder.leaveContainer(name);
  };
  void onText(runningIn(short), false);
  let kept: T;
  try {
    await runToEnd(containers, id, job);
    const isSpare = request.remove || request.forceRemove;
    kept = await keep({ rootfs: containers.filesOf(id).rootfs, isSpare });
  } catch (error) {
    if (request.forceRemove || job.signal.aborted) await remove();
    else await folder.leaveContainer(name);
    if (request.forceRemove) void onText(removing(short), false);
    throw error;
  }
  if (!request.remove && !request.forceRemove) {
    await folder.leaveContainer(name);
    return kept;
  }
  await remove();
  void onText(removing(short), false);
  return kept;
}

async function runToEnd(
  containers: MachineContainers,
  id: Parameters<MachineContainers["start"]>[0],
  { command, signal, onText }: RunJob,
): Promise<void> {
  const stop = () => {
    // Who cancelled does not wait for it; what is in the way shows when it is removed.
    containers.kill(id, "SIGKILL").catch(() => {});
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) throw cancelled();
    await containers.start(id, { files: scriptOf(command) });
    if (signal.aborted) stop();
    const all = { stdout: true, stderr: true, follow: true, tail: -1, sinceMs: 0, untilMs: 0 };
    const decoders = [new TextDecoder(), new TextDecoder()] as const;
    for await (const { stderr, data } of containers.logs(id, { ...all, signal })) {
      const text = decoders[stderr ? 1 : 0].decode(data, { stream: true });
      if (text !== "") await onText(text, stderr);
    }
    const { exitCode } = await containers.wait(id);
    if (signal.aborted) throw cancelled();
    if (exitCode !== 0) throw failed(command, exitCode);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function configOf(name: string, { image, command, env, request }: RunJob): ContainerConfig {
  const { container } = request;
  return {
    ...DEFAULT_SETTINGS,
    name,
    image,
    // One empty word takes the image's away.
    entrypoint: [""],
    command: command.words,
    env,
    labels: {},
    hostname: "",
    user: "",
    groups: [],
    workdir: "",
    tty: false,
    openStdin: false,
    readOnlyRootfs: false,
    init: false,
    capAdd: [],
    capDrop: [],
    sysctls: {},
    mounts: [],
    stopSignal: "",
    stopTimeoutMs: 0,
    health: {
      ...{ test: ["NONE"], intervalMs: 0, timeoutMs: 0, retries: 0, startPeriodMs: 0 },
      startIntervalMs: 0,
    },
    resolvConf: undefined,
    addresses: [],
    oomScoreAdj: 0,
    log: { driver: "json-file", options: LOG_OPTIONS },
    ...container,
  };
}

function scriptOf({ script }: RunCommand): readonly ContainerFile[] {
  if (script === "") return [];
  const data = Buffer.from(script);
  return [{ target: SCRIPT_PATH, uid: 0, gid: 0, mode: 0o755, data }];
}

function failed({ words }: RunCommand, exitCode: number): ClusterError {
  const message = `The command '${words.join(" ")}' returned a non-zero code: ${exitCode}`;
  return new ClusterError("Aborted", message, { details: { exitCode } });
}

/** The error of a build whose client has gone. Docker's words. */
export function cancelled(): ClusterError {
  return new ClusterError("Cancelled", "Build cancelled");
}
