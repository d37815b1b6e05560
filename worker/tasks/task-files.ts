import { fileTargetPath } from "../../proto/file-target.ts";
import type { FileTarget, TaskSpec } from "../../proto/gen/objects.ts";
import type { ContainerFile } from "../../runtime/container/types.ts";
import type { AssignedTask } from "./task-model.ts";

/** A config or secret as a file of a task's container. */
export interface TaskFile {
  /** For people: `secret db-password`. */
  readonly what: string;
  readonly path: string;
  readonly target: FileTarget;
  /** Undefined: it was removed from the swarm. Never logged, never written to a disk. */
  readonly data: Buffer | undefined;
}

/** The files a task of this spec reads. @param find what came of a config or secret. */
export function taskFiles(spec: TaskSpec, find: (id: string) => Buffer | undefined): TaskFile[] {
  const { configs = [], secrets = [] } = spec.container ?? {};
  const references = [
    ...configs.map(({ configId, configName, file }) => {
      return { kind: "config" as const, id: configId, name: configName, file };
    }),
    ...secrets.map(({ secretId, secretName, file }) => {
      return { kind: "secret" as const, id: secretId, name: secretName, file };
    }),
  ];
  return references.flatMap(({ kind, id, name, file }) => {
    if (file === undefined) return [];
    const path = fileTargetPath(kind, file.name);
    return [{ what: `${kind} ${name}`, path, target: file, data: find(id) }];
  });
}

/** Whether a task's files are at hand, and if not, what of them. */
export type FilesState =
  | { readonly kind: "here" }
  /** A daemon that restarted does not have them until a manager sends them again. */
  | { readonly kind: "awaited" }
  | { readonly kind: "gone"; readonly what: string };

export function filesState({ spec, files }: AssignedTask): FilesState {
  if (files === undefined) {
    const { configs = [], secrets = [] } = spec.container ?? {};
    return { kind: configs.length + secrets.length > 0 ? "awaited" : "here" };
  }
  const gone = files.find(({ data }) => data === undefined);
  return gone === undefined ? { kind: "here" } : { kind: "gone", what: gone.what };
}

/** The task without what only a start needs. */
export function withoutFiles(assignment: AssignedTask): AssignedTask {
  const { files: _, ...rest } = assignment;
  return rest;
}

/** The files as the runtime makes them. */
export function containerFiles({ files = [] }: AssignedTask): ContainerFile[] {
  return files.flatMap(({ path, target, data }) => {
    if (data === undefined) return [];
    const { uid, gid, mode } = target;
    return [{ target: path, uid: Number(uid), gid: Number(gid), mode, data }];
  });
}
