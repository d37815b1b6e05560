import type { ImageConfig } from "../../image/types.ts";
import { holdsCapability, planCapabilities } from "../spec/capabilities.ts";
import { planEnvironment } from "../spec/environment.ts";
import type { OciProcess } from "../spec/oci-spec.ts";
import { capabilitySets } from "../spec/spec.ts";
import type { ContainerUser } from "../spec/user.ts";
import type { ContainerConfig } from "../types.ts";
import type { ConsoleSize, ExecConfig } from "./types.ts";

/** What a command's process follows from. */
export interface ExecInput {
  readonly exec: ExecConfig;
  /** The container's own process, as the runtime was told. */
  readonly base: OciProcess;
  readonly config: Pick<ContainerConfig, "env">;
  readonly image: Pick<ImageConfig, "env">;
  /** Whose the process is: the one the command names, else the container's. */
  readonly user: ContainerUser;
  /** What we may give, as the kernel writes it, in hexadecimal. */
  readonly ownCapabilities: string;
  readonly size: ConsoleSize | undefined;
}

/** Variables that follow from who and where a process is. */
const OWN_VARIABLES = ["PATH", "HOSTNAME", "TERM", "HOME"];

/** The process of a command: as the container's own, but for what the command says. */
export function planExecProcess(input: ExecInput): OciProcess {
  const { exec, base, user, size } = input;
  const { apparmorProfile, consoleSize: _, ...own } = base;
  const groups = exec.user === "" ? base.user.additionalGids : user.additionalGids;
  const capabilities = exec.privileged
    ? planCapabilities(["ALL"], [], (name) => holdsCapability(input.ownCapabilities, name))
    : base.capabilities.bounding;
  const isConfined = apparmorProfile !== undefined && !exec.privileged;
  return {
    ...own,
    terminal: exec.tty,
    ...(exec.tty && size !== undefined
      ? { consoleSize: { height: size.rows, width: size.columns } }
      : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: groups },
    args: exec.command,
    env: planExecEnv(input),
    cwd: exec.workdir === "" ? base.cwd : exec.workdir,
    capabilities: capabilitySets(capabilities, user.uid === 0),
    ...(isConfined ? { apparmorProfile } : {}),
  };
}

/** What the container's devices brought with them comes after what its configuration says. */
function planExecEnv({ exec, base, config, image, user }: ExecInput): string[] {
  const nameOf = (entry: string) => entry.split("=", 1)[0] ?? "";
  const known = new Set([...OWN_VARIABLES, ...[...image.env, ...config.env].map(nameOf)]);
  const others = base.env.filter((entry) => !known.has(nameOf(entry)));
  const hostname = base.env.find((entry) => entry.startsWith("HOSTNAME=")) ?? "";
  return planEnvironment({
    hostname: hostname.slice("HOSTNAME=".length),
    home: user.home,
    tty: exec.tty,
    image: image.env,
    container: [...config.env, ...others, ...exec.env],
  });
}
