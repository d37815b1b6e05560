import { ClusterError } from "../../core/errors.ts";

/** Who a file belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The kernel's ids without its -1. */
const ID_MAX = 2 ** 32 - 2;
const WRONG = "unable to convert uid/gid chown string to host mapping";

/**
 * Reads `--chown`: `user[:group]`, names or numbers; a user alone names the group too.
 *
 * @param files of the image. @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseOwner(
  text: string,
  files: { readonly passwd: string; readonly group: string },
): Owner {
  const [user = "", group = user, ...more] = text.split(":");
  if (more.length > 0) throw wrong(`invalid chown string format: ${text}`);
  const uid = numberOf(user) ?? findId(files.passwd, user);
  if (uid === undefined) throw wrong(`can't find uid for user ${user}: no such user: ${user}`);
  const gid = numberOf(group) ?? findId(files.group, group);
  if (gid === undefined) throw wrong(`can't find gid for group ${group}: no such group: ${group}`);
  return { uid, gid };
}

function numberOf(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  if (id <= ID_MAX) return id;
  throw wrong(`id ${text} is too large`);
}

/** The third field of the line that begins with the name, in both files. */
function findId(file: string, name: string): number | undefined {
  if (name === "") return undefined;
  const line = file.split("\n").find((entry) => entry.startsWith(`${name}:`));
  const id = line?.split(":")[2] ?? "";
  return /^\d{1,10}$/.test(id) ? Number(id) : undefined;
}

function wrong(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `${WRONG}: ${reason.slice(0, 300)}`);
}
