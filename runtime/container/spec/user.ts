import { ClusterError } from "../../../core/errors.ts";

/** Who a container's process is. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

/** The text of the image's own account files; empty when it has none. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Beyond it the kernel's -1 and the CVE class of wrapped ids begin. */
const ID_MAX = 2 ** 31 - 1;

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Finds out what `user[:group]` is in a container, and what the names in `extraGroups` are.
 *
 * Names are looked up in the image's files; a number needs no entry. A user of whom no group was asked for is also in the
 * groups that name it as a member.
 *
 * @throws {ClusterError} InvalidArgument for a name without entry, in Docker's words, or a number out of range.
 * Source: moby, user.GetExecUser.
 */
export function planUser(
  user: string,
  extraGroups: readonly string[],
  files: AccountFiles,
): ContainerUser {
  const colon = user.indexOf(":");
  const userPart = colon === -1 ? user : user.slice(0, colon);
  const groupPart = colon === -1 ? "" : user.slice(colon + 1);
  const groups = parseGroups(files.group);
  const entry = findUser(userPart, parsePasswd(files.passwd));

  const own = groups.filter((group) => entry.name !== "" && group.members.includes(entry.name));
  const memberships = groupPart === "" ? own.map((group) => group.gid) : [];
  const extra = extraGroups.map((name) => findGid(name, groups));
  const gid = groupPart === "" ? entry.gid : findGid(groupPart, groups);
  return {
    uid: entry.uid,
    gid,
    // Its own too: a process that changes its group would else lose what the group is kept out of. Source: CVE-2022-36109.
    additionalGids: [...new Set([gid, ...memberships, ...extra])],
    home: entry.home,
  };
}

function findUser(user: string, entries: readonly PasswdEntry[]): PasswdEntry {
  const wanted = user === "" ? "0" : user;
  const number = parseId(wanted);
  const entry =
    entries.find(({ name }) => name === wanted) ?? entries.find(({ uid }) => uid === number);
  if (entry !== undefined) return entry;
  if (number !== undefined) return { name: "", uid: number, gid: 0, home: "/" };
  throw new ClusterError(
    "InvalidArgument",
    `unable to find user ${user.slice(0, 100)}: no matching entries in passwd file`,
  );
}

function findGid(group: string, entries: readonly GroupEntry[]): number {
  const gid = entries.find(({ name }) => name === group)?.gid ?? parseId(group);
  if (gid !== undefined) return gid;
  throw new ClusterError(
    "InvalidArgument",
    `unable to find group ${group.slice(0, 100)}: no matching entries in group file`,
  );
}

function parseId(text: string): number | undefined {
  if (!/^-?[0-9]{1,18}$/.test(text)) return undefined;
  const id = Number(text);
  if (id >= 0 && id <= ID_MAX) return id;
  throw new ClusterError("InvalidArgument", `uids and gids must be in range 0-${ID_MAX}`);
}

/** Lines that are not entries are passed over, as the C library does. */
function parsePasswd(text: string): PasswdEntry[] {
  return fieldsOfLines(text).flatMap(([name = "", , uid = "", gid = "", , home = ""]) => {
    if (!isNumber(uid) || !isNumber(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home === "" ? "/" : home }];
  });
}

function parseGroups(text: string): GroupEntry[] {
  return fieldsOfLines(text).flatMap(([name = "", , gid = "", members = ""]) => {
    return isNumber(gid) ? [{ name, gid: Number(gid), members: members.split(",") }] : [];
  });
}

function fieldsOfLines(text: string): string[][] {
  return text.split("\n").map((line) => line.trim().split(":"));
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= ID_MAX;
}
