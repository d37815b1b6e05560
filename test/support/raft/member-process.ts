/**
 * One raft member as a process of its own, driven over Node's IPC, so that a test can kill it for real.
 * Arguments: folder, raft id, port, `bootstrap` | `join` | `restart`.
 */
import { errorCode } from "../../../core/errors.ts";
import type { Member } from "../../../manager/log/replicated-log.ts";
import { startGrpcMember } from "./grpc-member.ts";
import { ListState } from "./list-state.ts";

/** What the test asks. */
export type MemberRequest =
  | { readonly kind: "propose"; readonly value: string }
  | { readonly kind: "addMember"; readonly member: Member }
  | { readonly kind: "look" };

/** What it gets. */
export type MemberReply =
  | { readonly ok: true; readonly entries: readonly string[]; readonly isLeader: boolean }
  | { readonly ok: false; readonly code: string };

const [dir = "", raftId = "", port = "", start = "join"] = process.argv.slice(2);
const state = new ListState();
const { log, member } = await startGrpcMember({
  dir,
  raftId: Number(raftId),
  port: Number(port),
  start: start as "bootstrap" | "join" | "restart",
  stateMachine: state,
  snapshotInterval: 50,
});

process.on("message", ({ id, request }: { id: number; request: MemberRequest }) => {
  answer(request).then(
    (reply) => process.send?.({ id, reply }),
    (error: unknown) => process.send?.({ id, reply: { ok: false, code: errorCode(error) } }),
  );
});
// Its parent is gone: so is the test.
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, reply: member });

async function answer(request: MemberRequest): Promise<MemberReply> {
  if (request.kind === "propose") await log.propose(Buffer.from(request.value));
  if (request.kind === "addMember") await log.addMember(request.member);
  const entries = request.kind === "look" ? state.entries : [];
  return { ok: true, entries, isLeader: log.leadership().isLeader };
}
