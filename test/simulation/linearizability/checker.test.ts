import { expect } from "chai";
import { randomInt, seededRandom } from "../../../core/random.ts";
import { checkLinearizable, type Operation, type Verdict } from "./checker.ts";
import { narrowed, REGISTERS, type RegisterOp } from "./register.ts";

/**
 * A history as people draw it, a line for each operation: `|` call and return, `>` for one that never returned.
 *
 *     w1  |----|
 *     r1     |----|
 */
function drawn(...lines: readonly string[]): Operation<RegisterOp>[] {
  return lines.map((line, i) => {
    const [, verb = "", value = "", drawing = ""] = /^(w|r)(\S*)( .*)$/.exec(line) ?? [];
    const calledAt = drawing.search(/[|]/) + i / 100;
    const end = drawing.lastIndexOf("|");
    const returnedAt = drawing.includes(">") ? Number.POSITIVE_INFINITY : end + i / 100;
    const read = { kind: "read", key: "k", value: verb === "r" ? value : undefined } as const;
    const op: RegisterOp = verb === "w" ? { kind: "write", key: "k", value } : read;
    return { op, calledAt, returnedAt };
  });
}

const kindOf = (...lines: string[]): Verdict["kind"] =>
  checkLinearizable(REGISTERS, drawn(...lines)).kind;

describe("linearizability checker", () => {
  const good: Record<string, string[]> = {
    "nothing at all": [],
    "a read of what was written": ["w1 |---|", "r1      |---|"],
    "a read beside a write may see it": ["w1 |-----|", "r1   |--|"],
    "a read beside a write may not see it": ["w1 |-----|", "r   |---|"],
    "two writes at once, seen in either order": ["w1 |----|", "w2 |----|", "r1        |-|"],
    "two reads beside a write, the later sees it": ["w1 |--------|", "r   |-|", "r1       |-|"],
    "a write nobody heard of that is seen much later": ["w1 |->", "r      |-|", "r1          |-|"],
    "a write nobody heard of that is never seen": ["w1 |->", "r      |-|", "r          |-|"],
    "a write nobody heard of, between two others": [
      "w1 |-|",
      "w2     |->",
      "w3       |-|",
      "r2            |-|",
    ],
  };
  for (const [what, lines] of Object.entries(good)) {
    it(`takes ${what}`, () => expect(kindOf(...lines)).to.equal("linearizable"));
  }

  const bad: Record<string, string[]> = {
    "a stale read": ["w1 |---|", "r       |---|"],
    "a read of what nobody wrote": ["w1 |---|", "r2      |---|"],
    "a read of what is only written later": ["r1 |-|", "w1      |-|"],
    "a read that goes back": ["w1 |------------|", "r1   |-|", "r         |-|"],
    "a write that is overwritten and comes back": [
      "w1 |-|",
      "w2     |-|",
      "r2         |-|",
      "r1             |-|",
    ],
    "a write nobody heard of that comes, goes and comes": [
      "w1 |->",
      "r1     |-|",
      "w2         |-|",
      "r2             |-|",
      "r1                 |-|",
    ],
    "two readers who see two writes in different orders": [
      "w1 |-----------------|",
      "w2 |-----------------|",
      "r1   |-|",
      "r2       |-|",
      "r1           |-|",
    ],
  };
  for (const [what, lines] of Object.entries(bad)) {
    it(`refuses ${what}`, () => expect(kindOf(...lines)).to.equal("violation"));
  }

  it("checks keys apart and names the one that is wrong", () => {
    const write = (key: string, at: number) =>
      ({ op: { kind: "write", key, value: "1" }, calledAt: at, returnedAt: at + 1 }) as const;
    const read = (key: string, value: string, at: number) =>
      ({ op: { kind: "read", key, value }, calledAt: at, returnedAt: at + 1 }) as const;
    const history = [write("a", 0), write("b", 2), read("a", "1", 4), read("b", "", 6)];
    expect(checkLinearizable(REGISTERS, history)).to.deep.equal({ kind: "violation", part: "b" });
  });

  it("says so when it cannot know within its bound", () => {
    const lines = Array.from({ length: 12 }, (_, i) => `w${i} |-------------|`);
    const verdict = checkLinearizable(REGISTERS, drawn(...lines, "rx                 |-|"), 100);
    expect(verdict).to.deep.equal({ kind: "undecided", part: "k" });
  });

  /** Histories of a real register, each operation taking effect at a moment between its call and its return. */
  function randomHistory(seed: number): Operation<RegisterOp>[] {
    const random = seededRandom(seed);
    const planned = Array.from({ length: 30 }, (_, i) => {
      const calledAt = random.next() * 100;
      const effectAt = calledAt + random.next() * 12;
      const isLost = random.next() < 0.15;
      const returnedAt = isLost ? Number.POSITIVE_INFINITY : effectAt + random.next() * 12;
      const neverHappens = isLost && random.next() < 0.5;
      const isWrite = isLost || random.next() < 0.5;
      return { i, calledAt, effectAt, returnedAt, isWrite, neverHappens };
    });
    let value = "";
    const history: Operation<RegisterOp>[] = [];
    for (const one of planned.sort((a, b) => a.effectAt - b.effectAt)) {
      const times = { calledAt: one.calledAt, returnedAt: one.returnedAt };
      if (!one.isWrite) history.push({ op: { kind: "read", key: "k", value }, ...times });
      else {
        history.push({ op: { kind: "write", key: "k", value: String(one.i) }, ...times });
        if (!one.neverHappens) value = String(one.i);
      }
    }
    return history;
  }

  it("takes every history of a real register", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { kind } = checkLinearizable(REGISTERS, randomHistory(seed));
      expect(kind, `seed ${seed}`).to.equal("linearizable");
    }
  });

  it("agrees with trying every order, on histories with one answer changed", () => {
    let refused = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const history = randomHistory(seed).slice(0, 7);
      const random = seededRandom(seed);
      const at = randomInt(random, history.length);
      const changed = history.map((one, i): Operation<RegisterOp> => {
        if (i !== at || one.op.kind !== "read") return one;
        return { ...one, op: { ...one.op, value: String(randomInt(random, 7)) } };
      });
      const { kind } = checkLinearizable(REGISTERS, changed);
      expect(kind, `seed ${seed}`).to.equal(hasOrder(changed, "") ? "linearizable" : "violation");
      if (kind === "violation") refused++;
    }
    expect(refused).to.be.greaterThan(20);
  });

  it("says the same of a history narrowed to what matters", () => {
    let decided = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const history = randomHistory(seed);
      const at = randomInt(seededRandom(seed), history.length);
      const changed = history.map((one, i): Operation<RegisterOp> => {
        if (i !== at || one.op.kind !== "read") return one;
        return { ...one, op: { ...one.op, value: String(at) } };
      });
      const { kind } = checkLinearizable(REGISTERS, changed);
      if (kind === "undecided") continue;
      decided++;
      expect(checkLinearizable(REGISTERS, narrowed(changed)).kind, `seed ${seed}`).to.equal(kind);
    }
    expect(decided).to.be.greaterThan(250);
  });

  /** Plainly, by every order there is. */
  function hasOrder(left: readonly Operation<RegisterOp>[], state: string): boolean {
    if (left.every(({ returnedAt }) => returnedAt === Number.POSITIVE_INFINITY)) return true;
    const soonest = Math.min(...left.map(({ returnedAt }) => returnedAt));
    return left.some((one) => {
      if (one.calledAt > soonest) return false;
      const next = REGISTERS.step(state, one.op);
      return (
        next !== undefined &&
        hasOrder(
          left.filter((other) => other !== one),
          next,
        )
      );
    });
  }
});
