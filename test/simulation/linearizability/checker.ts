/** What an object may do, one operation at a time. States are compared by `keyOf`. */
export interface Model<State, Op> {
  readonly initial: State;
  /** Operations of different parts do not touch each other and are checked apart. */
  partOf(op: Op): string;
  /**
   * The state after `op`, or undefined when its outcome is impossible in `state`. An operation whose outcome nobody
   * knows must be possible in every state.
   */
  step(state: State, op: Op): State | undefined;
  keyOf(state: State): string;
}

/** One call of one client. Times are of one clock that never shows the same twice. */
export interface Operation<Op> {
  readonly op: Op;
  readonly calledAt: number;
  /** Infinity: the client never heard of it, so it may take effect at any later time, or never. */
  readonly returnedAt: number;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  /** No order explains what the clients saw. */
  | { readonly kind: "violation"; readonly part: string }
  /** More than STEPS_MAX steps would be needed to know. */
  | { readonly kind: "undecided"; readonly part: string };

/** Steps of the search of one part: far more than the histories of a run need. */
export const STEPS_MAX = 200_000;

/**
 * Whether there is one order of all operations in which each takes effect between its call and its return and gives what
 * its client saw.
 *
 * Source: Wing and Gong, "Testing and verifying concurrent objects" (1993), with the memory of configurations of Lowe,
 * "Testing for linearizability" (2017), and the parting by key of Horn and Kroening (2015).
 */
export function checkLinearizable<State, Op>(
  model: Model<State, Op>,
  history: readonly Operation<Op>[],
  stepsMax: number = STEPS_MAX,
): Verdict {
  const parts = new Map<string, Operation<Op>[]>();
  for (const operation of history) {
    const part = model.partOf(operation.op);
    const known = parts.get(part);
    if (known === undefined) parts.set(part, [operation]);
    else known.push(operation);
  }
  for (const [part, operations] of parts) {
    const kind = new Search(model, operations, stepsMax).run();
    if (kind !== "linearizable") return { kind, part };
  }
  return { kind: "linearizable" };
}

/** A call or a return, in a list from which those of placed operations are lifted out and put back. */
interface Mark {
  readonly id: number;
  readonly at: number;
  readonly isCall: boolean;
  before: Mark | undefined;
  after: Mark | undefined;
}

interface Placed<State> {
  readonly id: number;
  readonly stateBefore: State;
}

/** Places operations in order, depth first, and takes the last back when a return can no longer be passed. */
class Search<State, Op> {
  readonly #model: Model<State, Op>;
  readonly #operations: readonly Operation<Op>[];
  readonly #calls: Mark[] = [];
  readonly #returns: (Mark | undefined)[] = [];
  readonly #head: Mark = { id: -1, at: -1, isCall: false, before: undefined, after: undefined };
  readonly #placed: Placed<State>[] = [];
  readonly #isPlaced: Uint8Array;
  readonly #seen = new Set<string>();
  #returnsLeft = 0;
  #stepsLeft: number;

  constructor(model: Model<State, Op>, operations: readonly Operation<Op>[], stepsMax: number) {
    this.#model = model;
    this.#operations = operations;
    this.#stepsLeft = stepsMax;
    this.#isPlaced = new Uint8Array(operations.length);
    this.#link();
  }

  run(): Verdict["kind"] {
    let state = this.#model.initial;
    let mark = this.#head.after;
    // Who never returned need not have happened: when all returns are passed, the order is found.
    while (this.#returnsLeft > 0) {
      if (this.#stepsLeft-- <= 0) return "undecided";
      const next = mark?.isCall === true ? this.#place(mark.id, state) : undefined;
      if (next !== undefined) {
        state = next;
        mark = this.#head.after;
      } else if (mark?.isCall === true) {
        mark = mark.after;
      } else {
        const last = this.#placed.pop();
        if (last === undefined) return "violation";
        state = last.stateBefore;
        this.#putBack(last.id);
        mark = this.#calls[last.id]?.after;
      }
    }
    return "linearizable";
  }

  #link(): void {
    const marks: Mark[] = [];
    this.#operations.forEach(({ calledAt, returnedAt }, id) => {
      const call = newMark(id, calledAt, true);
      this.#calls.push(call);
      marks.push(call);
      const end =
        returnedAt === Number.POSITIVE_INFINITY ? undefined : newMark(id, returnedAt, false);
      this.#returns.push(end);
      if (end !== undefined) marks.push(end);
    });
    this.#returnsLeft = marks.length - this.#calls.length;
    marks.sort((a, b) => a.at - b.at);
    let last = this.#head;
    for (const mark of marks) {
      last.after = mark;
      mark.before = last;
      last = mark;
    }
  }

  /** The state after `id` takes effect now; undefined when it cannot, or it is known that this leads nowhere. */
  #place(id: number, state: State): State | undefined {
    const operation = this.#operations[id];
    const next = operation === undefined ? undefined : this.#model.step(state, operation.op);
    if (next === undefined) return undefined;
    this.#isPlaced[id] = 1;
    const configuration = `${Buffer.from(this.#isPlaced).toString("latin1")}${this.#model.keyOf(next)}`;
    if (this.#seen.has(configuration)) {
      this.#isPlaced[id] = 0;
      return undefined;
    }
    this.#seen.add(configuration);
    this.#placed.push({ id, stateBefore: state });
    lift(this.#calls[id]);
    const end = this.#returns[id];
    if (end !== undefined) this.#returnsLeft--;
    lift(end);
    return next;
  }

  #putBack(id: number): void {
    this.#isPlaced[id] = 0;
    const end = this.#returns[id];
    putBack(end);
    if (end !== undefined) this.#returnsLeft++;
    putBack(this.#calls[id]);
  }
}

function newMark(id: number, at: number, isCall: boolean): Mark {
  return { id, at, isCall, before: undefined, after: undefined };
}

function lift(mark: Mark | undefined): void {
  if (mark?.before !== undefined) mark.before.after = mark.after;
  if (mark?.after !== undefined) mark.after.before = mark.before;
}

/** In the opposite order of lifting, so that its neighbours are in the list again. */
function putBack(mark: Mark | undefined): void {
  if (mark?.before !== undefined) mark.before.after = mark;
  if (mark?.after !== undefined) mark.after.before = mark;
}
