import { ClusterError } from "../../../core/errors.ts";
import { expandLogTag } from "../../../core/log-tag.ts";
import type { ContainerConfig } from "../types.ts";
import { planLogLimits } from "./log-files.ts";

/** Docker's drivers that are here, with their options; journald's sizes are ours: a file is what is read. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "json-file": [
    ...["max-size", "max-file", "compress", "mode", "max-buffer-size"],
    ...["labels", "labels-regex", "env", "env-regex", "tag"],
  ],
  local: ["max-size", "max-file", "compress", "mode", "max-buffer-size"],
  journald: [
    ...["max-size", "max-file", "mode", "max-buffer-size"],
    ...["labels", "labels-regex", "env", "env-regex", "tag"],
  ],
  none: [],
};
/** What conmon cannot add to the lines it sends to the journal. */
const NOT_IN_JOURNAL = ["labels", "labels-regex", "env", "env-regex"];
const ANYBODY = { id: "", name: "", imageName: "", imageId: "" };

/**
 * Refuses what cannot be of a container's log: an unknown driver or option, a value that is none, and what would otherwise be
 * dropped without a word.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words where Docker refuses it too.
 */
export function checkLog({ driver, options }: ContainerConfig["log"]): void {
  const name = driver === "" ? "json-file" : driver;
  const known = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (known === undefined)
    throw refusal(
      `logger: no log driver named '${name.slice(0, 40)}' is registered: this version of muster has ${Object.keys(OPTIONS).join(", ")}`,
    );
  for (const option of Object.keys(options)) {
    if (!known.includes(option))
      throw refusal(`unknown log opt '${option.slice(0, 40)}' for ${name} log driver`);
    if (name === "journald" && NOT_IN_JOURNAL.includes(option))
      throw refusal(`log opt '${option}' of journald is not supported by this version of muster`);
  }
  checkDelivery(options);
  for (const option of ["labels-regex", "env-regex"]) checkPattern(options[option]);
  if (options.tag !== undefined) expandLogTag(options.tag, ANYBODY);
  planLogLimits({ driver, options });
}

/** Lines are written to their file as they come, by a process of the container's own, and kept there as they are. */
function checkDelivery({ mode, compress, ...options }: Readonly<Record<string, string>>): void {
  if (mode !== undefined && mode !== "blocking" && mode !== "non-blocking")
    throw refusal(`logger: logging mode not supported: ${mode.slice(0, 40)}`);
  if (mode === "non-blocking")
    throw refusal("log opt 'mode' non-blocking is not supported by this version of muster");
  if (options["max-buffer-size"] !== undefined)
    throw refusal("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  if (compress === undefined || /^(?:0|f|false)$/i.test(compress)) return;
  if (!/^(?:1|t|true)$/i.test(compress))
    throw refusal(`invalid log option compress: ${compress.slice(0, 40)}`);
  throw refusal("log opt 'compress' is not supported by this version of muster");
}

function checkPattern(text: string | undefined): void {
  if (text === undefined) return;
  try {
    new RegExp(text);
  } catch (cause) {
    const shown = text.slice(0, 100);
    throw new ClusterError("InvalidArgument", `error parsing regexp: '${shown}'`, { cause });
  }
}

function refusal(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
