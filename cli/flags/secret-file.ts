import { readFileSync } from "node:fs";
import { ClusterError } from "../../core/errors.ts";

/** Descriptor of standard input. */
const STDIN = 0;

/**
 * The first line of a file, or of standard input for `-`: a secret is never a word of the command line, which others see.
 *
 * @throws {ClusterError} `InvalidArgument` when it cannot be read or is empty.
 */
export function readSecretFile(path: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(path === "-" ? STDIN : path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ClusterError("InvalidArgument", `cannot read the ${what} from ${path} (${code})`);
  }
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line !== "") return line;
  throw new ClusterError("InvalidArgument", `cannot use the ${what} in ${path}: it is empty`);
}
