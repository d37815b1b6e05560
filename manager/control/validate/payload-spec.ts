import type {
  ConfigReference,
  ConfigSpec,
  FileTarget,
  SecretReference,
  SecretSpec,
} from "../../../proto/gen/objects.ts";
import { CONFIG_BYTES_MAX, SECRET_BYTES_LIMIT } from "../../../proto/limits.ts";
import { checkCount, checkLabels, checkText, refuse } from "./refuse.ts";

/** Source: swarmkit, manager/controlapi/common.go, validateConfigOrSecretAnnotations. */
const NAME_CHARS_MAX = 64;
const NAME = /^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/;
/** References of one container of each kind at most. */
const REFERENCES_MAX = 500;
/** The kernel's PATH_MAX, less its NUL. */
const PATH_BYTES_MAX = 4095;
const ID_MAX = 2 ** 32 - 2;
const MODE_MAX = 0o7777;

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. Texts are Docker's. */
export function checkConfig(spec: ConfigSpec | undefined, data: Uint8Array): ConfigSpec {
  const checked = checkPayloadSpec("config", spec);
  if (data.length === 0 || data.length > CONFIG_BYTES_MAX) {
    refuse(`config data must be larger than 0 and less than ${CONFIG_BYTES_MAX} bytes`);
  }
  return checked;
}

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. Texts are Docker's. */
export function checkSecret(spec: SecretSpec | undefined, data: Uint8Array): SecretSpec {
  const checked = checkPayloadSpec("secret", spec);
  if (data.length === 0 || data.length >= SECRET_BYTES_LIMIT) {
    refuse(`secret data must be larger than 0 and less than ${SECRET_BYTES_LIMIT} bytes`);
  }
  return checked;
}

/** Name and labels of a config or secret. @throws {ClusterError} `InvalidArgument`. */
export function checkPayloadSpec<T extends ConfigSpec | SecretSpec>(
  kind: "config" | "secret",
  spec: T | undefined,
): T {
  if (spec === undefined) refuse(`${kind} spec must be provided`);
  if (spec.name === "") refuse("name must be provided");
  if (spec.name.length > NAME_CHARS_MAX || !NAME.test(spec.name)) {
    refuse(
      "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]",
    );
  }
  checkLabels(spec.labels);
  return spec;
}

/** The files a container reads. @throws {ClusterError} `InvalidArgument` naming the first that cannot be. */
export function checkReferences(
  secrets: readonly SecretReference[],
  configs: readonly ConfigReference[],
): void {
  checkTargets(
    "secret",
    secrets.map(({ secretId, secretName, file }) => ({ id: secretId, name: secretName, file })),
  );
  checkTargets(
    "config",
    configs.map(({ configId, configName, file }) => ({ id: configId, name: configName, file })),
  );
}

interface Reference {
  readonly id: string;
  readonly name: string;
  readonly file: FileTarget | undefined;
}

/** Source: swarmkit, manager/controlapi/service.go, validateSecretRefsSpec. */
function checkTargets(kind: "config" | "secret", references: readonly Reference[]): void {
  if (references.length > REFERENCES_MAX) {
    refuse(`at most ${REFERENCES_MAX} ${kind}s may be given to a service`);
  }
  const taken = new Map<string, string>();
  for (const { id, name, file } of references) {
    if (id === "" && name === "") refuse(`malformed ${kind} reference`);
    if (file === undefined) refuse(`malformed ${kind} reference, no target provided`);
    checkFile(kind, file);
    const other = taken.get(file.name);
    if (other !== undefined) {
      refuse(
        `${kind} references '${other}' and '${name}' have a conflicting target: '${file.name}'`,
      );
    }
    taken.set(file.name, name);
  }
}

function checkFile(kind: "config" | "secret", { name, uid, gid, mode }: FileTarget): void {
  if (name === "") {
    refuse(`malformed file ${kind} reference, invalid target file name provided`);
  }
  checkText(`the target of a ${kind}`, name);
  if (Buffer.byteLength(name) > PATH_BYTES_MAX || name.endsWith("/")) {
    refuse(`invalid target ${JSON.stringify(name.slice(0, 200))} of a ${kind}: not a file's name`);
  }
  if (name.split("/").includes("..")) {
    refuse(`invalid target ${JSON.stringify(name)} of a ${kind}: must not contain '..'`);
  }
  for (const [what, text] of Object.entries({ uid, gid })) {
    const id = Number(text);
    // As in Go, where clients leave it out.
    if (/^\d{0,10}$/.test(text) && id <= ID_MAX) continue;
    refuse(
      `invalid ${what} ${JSON.stringify(text.slice(0, 20))} of ${kind} target ${name}: write a number`,
    );
  }
  checkCount(`the mode of ${kind} target ${name}`, mode, { max: MODE_MAX });
}
