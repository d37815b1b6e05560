import { ClusterError } from "../../../core/errors.ts";

/** Where a context comes from that is not sent. */
export type Remote =
  /** An archive, or the text of a Dockerfile. */
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "git";
      readonly url: string;
      /** Branch, tag or commit; empty: what the repository has as its head. */
      readonly ref: string;
      /** From the repository's root; empty: all of it. */
      readonly folder: string;
    };

const GIT_SUFFIX = /\.git(?:#.*)?$/s;
const GIT_PREFIX = /^(?:git:\/\/|github\.com\/|git@)/;
/** What git allows in names, and no sign that means something to it on a command line or in a refspec. */
const REF = /^[A-Za-z0-9_][A-Za-z0-9_./@-]*$/;
const URL_LENGTH_MAX = 8192;

export function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

/**
 * Reads what `remote` says.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words where it has some.
 * Source: moby, builder/remotecontext/detect.go, pkg/urlutil.
 */
export function parseRemote(text: string): Remote {
  if (text.length > URL_LENGTH_MAX)
    throw invalid(`the URL of the context is longer than ${URL_LENGTH_MAX} characters`);
  const isGit = GIT_PREFIX.test(text) || (isUrl(text) && GIT_SUFFIX.test(text));
  if (isGit) return parseGit(text);
  if (isUrl(text)) return { kind: "url", url: checked(text) };
  throw invalid(`remoteURL (${text.slice(0, 200)}) could not be recognized as URL`);
}

/**
 * The name of what a URL brings: the last part of its path, else what the server calls it; undefined: nobody says.
 *
 * @param disposition the Content-Disposition header. Source: moby, builder/dockerfile/copy.go.
 */
export function fileNameOf(url: URL, disposition: string): string | undefined {
  const last = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  const [, quoted, plain] = /filename=(?:"([^"]*)"|([^\s;]+))/i.exec(disposition) ?? [];
  return [decoded(last), quoted ?? plain ?? ""].map(baseOf).find(isFileName);
}

function parseGit(text: string): Remote {
  const [address = "", fragment = ""] = splitOnce(text, "#");
  const [ref = "", folder = ""] = splitOnce(fragment, ":");
  if (ref !== "" && (!REF.test(ref) || ref.includes("..")))
    throw invalid(`invalid refspec: ${ref.slice(0, 200)}`);
  if (folder.split("/").includes("..") || folder.includes("\0"))
    throw invalid(`invalid folder of a repository: ${folder.slice(0, 200)}`);
  if (address.startsWith("git@"))
    throw invalid("cannot clone by ssh: the daemon has no key of yours; use https:// or git://");
  const url = address.startsWith("github.com/") ? `https://${address}` : address;
  return { kind: "git", url: checked(url), ref, folder };
}

/** As it is, if it is one; a host that looks like an option is none. */
function checked(text: string): string {
  const isWhole = URL.canParse(text) && /^[^-]/.test(new URL(text).hostname);
  if (isWhole && !/[\s\0]/.test(text)) return text;
  throw invalid(`remoteURL (${text.slice(0, 200)}) could not be recognized as URL`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not in UTF-8: it keeps its signs.
    return text;
  }
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("\0");
}

function splitOnce(text: string, sign: string): readonly string[] {
  const at = text.indexOf(sign);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
