import {
  type ConfState,
  decodeConfChanges,
  type Entry,
  type Message,
  type Status,
} from "../../../raft-ts/index.ts";

/** Raft's values as one line of text each, for golden files and for failures. */

export function messageText(message: Message): string {
  const { kind, from, to, term, ...rest } = message;
  const fields = Object.entries(rest).map(([key, value]) => fieldText(key, value));
  return [`${from}→${to}`, kind, `term=${term}`, ...fields.filter((text) => text !== "")].join(" ");
}

export function entryText({ index, term, kind, data }: Entry): string {
  return `${term}/${index} ${kind === "confChange" ? changesText(data) : dataText(data)}`;
}

export function confText({ voters, votersOutgoing, learners }: ConfState): string {
  const outgoing = votersOutgoing.length > 0 ? `&(${votersOutgoing.join(" ")})` : "";
  const observers = learners.length > 0 ? ` learners=(${learners.join(" ")})` : "";
  return `voters=(${voters.join(" ")})${outgoing}${observers}`;
}

export function statusText(status: Status): string {
  const { id, role, term, leader, commit, applied, firstIndex, lastIndex, confState } = status;
  const head =
    `${id} ${role} term=${term} leader=${leader} commit=${commit} applied=${applied} ` +
    `log=${firstIndex}..${lastIndex} ${confText(confState)}`;
  const peers = status.peers.map(
    (peer) =>
      `  ${peer.raftId} ${peer.state} match=${peer.match} next=${peer.next}` +
      `${peer.isLearner ? " learner" : ""}${peer.recentActive ? "" : " silent"}`,
  );
  return [head, ...peers].join("\n");
}

function fieldText(key: string, value: unknown): string {
  if (key === "entries") return `[${(value as Entry[]).map(entryText).join(", ")}]`;
  if (key === "snapshot") {
    const { index, term, confState } = value as { index: number; term: number } & {
      confState: ConfState;
    };
    return `at=${term}/${index} ${confText(confState)}`;
  }
  // What says nothing is left out.
  if (value === false && key !== "accepted" && key !== "granted") return "";
  if (value === 0 && (key === "context" || key === "sentAt" || key.startsWith("hint"))) return "";
  return `${key}=${value}`;
}

function changesText(data: Uint8Array): string {
  const changes = decodeConfChanges(data).map(({ kind, raftId }) => `${kind}(${raftId})`);
  return changes.length === 0 ? "leaveJoint" : changes.join("+");
}

function dataText(data: Uint8Array): string {
  return `"${new TextDecoder().decode(data)}"`;
}
