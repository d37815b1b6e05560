import { ClusterError } from "../../core/errors.ts";
import type { ConsoleSize, ExecFacts, ExecSettings } from "../backends/execs.ts";
import { JsonReader } from "../http/json-reader.ts";

const SIZE_MAX = 65_535;

/** Reads the body of `POST /containers/{id}/exec`. @throws {ClusterError} InvalidArgument. */
export function readExecCreate(body: unknown): ExecSettings {
  const json = new JsonReader(body, "Body");
  const command = json.words("Cmd");
  if (command.length === 0) throw new ClusterError("InvalidArgument", "No exec command specified");
  return {
    command,
    env: json.strings("Env"),
    user: json.string("User"),
    workdir: json.string("WorkingDir"),
    tty: json.boolean("Tty"),
    privileged: json.boolean("Privileged"),
    attachStdin: json.boolean("AttachStdin"),
    attachStdout: json.boolean("AttachStdout"),
    attachStderr: json.boolean("AttachStderr"),
    detachKeys: json.string("DetachKeys"),
  };
}

/** Reads the body of `POST /exec/{id}/start`. @throws {ClusterError} InvalidArgument. */
export function readExecStart(body: unknown): {
  readonly detach: boolean;
  readonly size: ConsoleSize | undefined;
} {
  const json = new JsonReader(body, "Body");
  const size = json.list("ConsoleSize", readCount);
  const [rows, columns] = size;
  if (size.length !== 0 && size.length !== 2)
    throw new ClusterError(
      "InvalidArgument",
      "invalid request: Body.ConsoleSize must be two numbers",
    );
  const isSaid = rows !== undefined && columns !== undefined && rows > 0 && columns > 0;
  return { detach: json.boolean("Detach"), size: isSaid ? { rows, columns } : undefined };
}

function readCount(value: unknown, path: string): number {
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= SIZE_MAX)
    return Number(value);
  throw new ClusterError("InvalidArgument", `invalid request: ${path} must be 0 to ${SIZE_MAX}`);
}

/** Reads the query of both kinds of resize. @throws {ClusterError} InvalidArgument. */
export function readConsoleSize(query: URLSearchParams): ConsoleSize {
  const read = (name: string) => {
    const text = query.get(name) ?? "";
    if (/^\d{1,5}$/.test(text) && Number(text) <= SIZE_MAX) return Number(text);
    const shown = JSON.stringify(text.slice(0, 40));
    throw new ClusterError(
      "InvalidArgument",
      `invalid resize ${name === "h" ? "height" : "width"} ${shown}: want 0 to ${SIZE_MAX}`,
    );
  };
  return { rows: read("h"), columns: read("w") };
}

/** Docker's JSON of a command in a container. */
export function writeExec({ id, containerId, config, state, pid, exitCode }: ExecFacts): unknown {
  const [entrypoint = "", ...parts] = config.command;
  return {
    ID: id,
    Running: state === "running",
    ExitCode: state === "exited" ? exitCode : null,
    ProcessConfig: {
      tty: config.tty,
      entrypoint,
      arguments: parts,
      privileged: config.privileged,
      ...(config.user === "" ? {} : { user: config.user }),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: Buffer.from(config.detachKeys).toString("base64"),
    Pid: pid,
  };
}
