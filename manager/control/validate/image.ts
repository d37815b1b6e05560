import { refuse } from "./refuse.ts";

/** Characters of a repository's name at most. Source: distribution, reference/reference.go, NameTotalLengthMax. */
const NAME_CHARS_MAX = 255;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-.]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$/;

/**
 * Whether `image` is a reference such as `nginx`, `host:5000/team/app:1.2` or `app@sha256:…`.
 *
 * @throws {ClusterError} `InvalidArgument`. Source: distribution, reference/regexp.go.
 */
export function checkImage(image: string): void {
  if (image === "") refuse("ContainerSpec: image reference must be provided");
  if (!isReference(image)) {
    refuse(`ContainerSpec: ${JSON.stringify(image)} is not a valid repository/tag`);
  }
}

function isReference(image: string): boolean {
  const [named = "", digest, ...more] = image.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return false;
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  if (tagged && !TAG.test(named.slice(colon + 1))) return false;
  const name = tagged ? named.slice(0, colon) : named;
  if (name.length > NAME_CHARS_MAX) return false;
  const parts = name.split("/");
  const path = parts.length > 1 && isHost(parts[0] ?? "") ? parts.slice(1) : parts;
  return path.every((part) => PATH_PART.test(part));
}

/** The first part is a host when it could be nothing else; else it is a folder of Docker Hub. */
function isHost(part: string): boolean {
  return HOST.test(part) && (/[.:[A-Z]/.test(part) || part === "localhost");
}
