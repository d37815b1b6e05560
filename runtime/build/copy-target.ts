import { ClusterError } from "../../core/errors.ts";

/** Where COPY puts things. */
export interface CopyTarget {
  /** Absolute, without a slash at its end; empty: the root. */
  readonly path: string;
  /** It was said to be a directory. */
  readonly isDirectory: boolean;
}

const MODE = /^0?[0-7]{1,4}$/;

/** The target as it is meant: relative to the working directory. */
export function readTarget(target: string, workdir: string): CopyTarget {
  const parts: string[] = [];
  for (const part of (target.startsWith("/") ? target : `${workdir}/${target}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const path = parts.length === 0 ? "" : `/${parts.join("/")}`;
  return { path, isDirectory: path === "" || /(?:^|\/)\.?$/.test(target) };
}

/** Octal permissions; undefined: as they are. @throws {ClusterError} InvalidArgument. */
export function parseMode(text: string): number | undefined {
  if (text === "") return undefined;
  if (MODE.test(text)) return Number.parseInt(text, 8);
  const message = `invalid chmod parameter: '${text.slice(0, 100)}'. it should be octal string and between 0 and 07777`;
  throw new ClusterError("InvalidArgument", message);
}

/** A path of the context below its root; one that leads above stays at the root. */
export function readSource(source: string): string {
  const parts: string[] = [];
  for (const part of source.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** A source that leads above its root, as Docker names it; undefined: it stays below. */
export function findForbidden(source: string): string | undefined {
  const shown = source.replace(/^(?:\.?\/)+/, "");
  let depth = 0;
  for (const part of shown.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return shown;
  }
  return undefined;
}

/** Whether a path has signs of a pattern in it; an escaped one is none. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path.replaceAll(/\\./g, ""));
}
