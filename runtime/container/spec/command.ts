import { ClusterError } from "../../../core/errors.ts";
import type { ImageConfig } from "../../image/types.ts";
import type { ContainerConfig } from "../types.ts";

/**
 * The program a container runs and its arguments: entrypoint, then command. An entrypoint of the container's own drops
 * the image's command.
 *
 * @throws {ClusterError} InvalidArgument when neither names a program. Docker's words.
 */
export function planCommand(
  config: Pick<ContainerConfig, "entrypoint" | "command">,
  image: Pick<ImageConfig, "entrypoint" | "cmd">,
): string[] {
  const replaced = config.entrypoint.length > 0;
  const entrypoint = replaced ? config.entrypoint : image.entrypoint;
  const command = config.command.length > 0 || replaced ? config.command : image.cmd;
  // One of nothing but an empty text takes the image's away and is none itself.
  const isReset = entrypoint.length === 1 && entrypoint[0] === "";
  const args = isReset ? command : [...entrypoint, ...command];
  if (args[0] === undefined || args[0] === "")
    throw new ClusterError("InvalidArgument", "no command specified");
  return [...args];
}
