import { Inflight } from "./inflight.ts";

/**
 * What the leader knows of one peer's log, and how it may send to it.
 *
 * - `probe`: where the logs agree is not known; one `append` at a time, the next after an answer or a heartbeat's answer.
 * - `replicate`: they agree up to `match`; appends are sent ahead as far as the window allows.
 * - `snapshot`: the peer needs entries that are forgotten; nothing is sent until the shell reports.
 *
 * Invariant: `0 <= match < next`. Source: etcd-io/raft, tracker/progress.go and its design document.
 */
export class Progress {
  readonly #inflight: Inflight;
  #state: "probe" | "replicate" | "snapshot" = "probe";
  #match = 0;
  #next: number;
  /** In `probe`: an append is under way. */
  #probeSent = false;
  /** In `snapshot`: the index of the snapshot under way. */
  #snapshotIndex = 0;
  /** The commit index of the last append sent; a greater one is news to the peer. */
  #commitSent = 0;
  /** One append is due whatever the window: an earlier one may be lost. */
  #nudged = false;
  /** The peer answered since the last quorum check. */
  recentActive = false;
  /** The latest read round this peer confirmed. */
  readRound = 0;
  /** When the latest heartbeat with a time was sent that this peer answered, by our clock. */
  heardAt = Number.NEGATIVE_INFINITY;

  constructor(next: number, window: { readonly countMax: number; readonly bytesMax: number }) {
    this.#next = next;
    this.#inflight = new Inflight(window);
  }

  get state(): "probe" | "replicate" | "snapshot" {
    return this.#state;
  }

  get match(): number {
    return this.#match;
  }

  get next(): number {
    return this.#next;
  }

  /** Whether an append should go now, to a peer of a log that ends at `lastIndex` and is committed to `commit`. */
  wantsAppend(lastIndex: number, commit: number): boolean {
    switch (this.#state) {
      case "probe":
        return !this.#probeSent;
      case "replicate":
        if (this.#nudged) return true;
        if (this.#inflight.isFull) return false;
        return this.#next <= lastIndex || this.#commitSent < commit;
      case "snapshot":
        return false;
    }
  }

  /** False when the window is full: the append that is due must be empty. */
  get mayCarryEntries(): boolean {
    return this.#state === "probe" || !this.#inflight.isFull;
  }

  /** An append with `count` entries was sent. */
  sentAppend(count: number, bytes: number, commit: number): void {
    this.#nudged = false;
    this.#commitSent = Math.max(this.#commitSent, commit);
    if (this.#state === "probe") this.#probeSent = true;
    if (this.#state !== "replicate" || count === 0) return;
    this.#next += count;
    this.#inflight.add(this.#next - 1, bytes);
  }

  /** A snapshot up to `index` was sent. */
  sentSnapshot(index: number): void {
    this.#become("snapshot");
    this.#snapshotIndex = index;
  }

  /** The peer's log equals ours up to `index`. `firstIndex` is that of our log. */
  accepted(index: number, firstIndex: number): void {
    this.#match = Math.max(this.#match, index);
    this.#next = Math.max(this.#next, this.#match + 1);
    if (this.#state === "replicate") {
      this.#inflight.freeTo(index);
      return;
    }
    const answersProbe = this.#state === "probe" && index === this.#match;
    const reachesOurLog = this.#state === "snapshot" && this.#match + 1 >= firstIndex;
    if (answersProbe || reachesOurLog) this.#become("replicate");
  }

  /** The peer has not our entry at `index`, and suggests to go on after `hint`. Old refusals change nothing. */
  refused(index: number, hint: number): void {
    if (this.#state === "snapshot") return;
    const isOld = index <= this.#match || (this.#state === "probe" && index !== this.#next - 1);
    if (isOld) return;
    const next = Math.max(Math.min(index, hint + 1), this.#match + 1);
    this.#become("probe");
    this.#next = next;
  }

  /** The peer is there: if it lacks entries or this is a probe, an append is due. */
  heartbeatAnswered(lastIndex: number): void {
    this.#probeSent = false;
    this.#nudged = this.#match < lastIndex;
  }

  /** What was sent may be lost. */
  unreachable(): void {
    if (this.#state === "replicate") this.#become("probe");
  }

  /** The snapshot arrived, or not. The peer's own answer, or a heartbeat's, starts the next probe. */
  snapshotEnded(ok: boolean): void {
    if (this.#state !== "snapshot") return;
    const next = ok ? this.#snapshotIndex + 1 : this.#match + 1;
    this.#become("probe");
    this.#next = Math.max(next, this.#match + 1);
    this.#probeSent = true;
  }

  #become(state: "probe" | "replicate" | "snapshot"): void {
    this.#state = state;
    this.#inflight.clear();
    this.#probeSent = false;
    this.#nudged = false;
    this.#next = this.#match + 1;
  }
}
