import { expect } from "chai";
import type { NodeTls, RootCa } from "../../../proto/gen/objects.ts";
import { crossSign, newRootCa } from "../certificates.ts";
import { planRotation, RENEWING_MAX, RETELL_MS, type RotationPlan } from "./plan-rotation.ts";
import { beginRotation, finishRotation, newClusterCa, wantedTls } from "./root-rotation.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const secret = () => new Uint8Array(16);

describe("ca: plan of a rotation", () => {
  let resting: RootCa;
  let moving: RootCa;
  let moved: RootCa;

  before(async () => {
    resting = newClusterCa(await newRootCa(NOW_MS), secret);
    const next = await newRootCa(NOW_MS);
    const crossSignedPem = await crossSign(resting, next, NOW_MS);
    moving = beginRotation(resting, { ...next, crossSignedPem }, NOW_MS);
    moved = finishRotation(moving, secret);
  });

  const tls = (ca: RootCa): NodeTls => ({ ...wantedTls(ca), keyDigest: "" });
  const node = (id: string, has?: RootCa) => ({ id, tls: has && tls(has) });

  function plan(
    ca: RootCa,
    nodes: readonly ReturnType<typeof node>[],
    {
      told = {},
      deaf = [],
    }: { told?: Readonly<Record<string, number>>; deaf?: readonly string[] } = {},
  ): RotationPlan {
    return planRotation(ca, nodes, {
      nowMs: RETELL_MS,
      toldAtMs: new Map(Object.entries(told)),
      canHear: (id) => !deaf.includes(id),
    });
  }

  const cases: { name: string; make: () => RotationPlan; expected: RotationPlan }[] = [
    {
      name: "nothing while nobody moves",
      make: () => plan(resting, [node("a", resting), node("silent")]),
      expected: { tell: [], behind: [], finish: false },
    },
    {
      name: "to tell every node at the start, those too that never said what they have",
      make: () => plan(moving, [node("a", resting), node("silent")]),
      expected: { tell: ["a", "silent"], behind: ["a", "silent"], finish: false },
    },
    {
      name: "to wait for who was told a moment ago",
      make: () => plan(moving, [node("a", resting), node("b", moving)], { told: { a: 1 } }),
      expected: { tell: [], behind: ["a"], finish: false },
    },
    {
      name: "to tell again who was told long ago",
      make: () => plan(moving, [node("a", resting)], { told: { a: 0 } }),
      expected: { tell: ["a"], behind: ["a"], finish: false },
    },
    {
      name: "to wait for who is not there, however long",
      make: () => plan(moving, [node("a", resting), node("b", moving)], { deaf: ["a"] }),
      expected: { tell: [], behind: ["a"], finish: false },
    },
    {
      name: "the end once every node has moved",
      make: () => plan(moving, [node("a", moving), node("b", moving)]),
      expected: { tell: [], behind: [], finish: true },
    },
    {
      name: "to have the old root dropped after the end",
      make: () => plan(moved, [node("a", moving), node("b", moved)]),
      expected: { tell: ["a"], behind: ["a"], finish: false },
    },
    {
      name: "the way back when the move was called off",
      make: () => plan(resting, [node("a", moving), node("b", resting)]),
      expected: { tell: ["a"], behind: ["a"], finish: false },
    },
  ];
  for (const { name, make, expected } of cases) {
    it(`is ${name}`, () => expect(make()).to.deep.equal(expected));
  }

  it("has so many nodes renew at a time and no more", () => {
    const nodes = Array.from({ length: 100 }, (_, i) => node(`n${i}`, resting));
    expect(plan(moving, nodes).tell).to.have.length(RENEWING_MAX);
    const told = Object.fromEntries(nodes.slice(0, 20).map(({ id }) => [id, 1]));
    expect(plan(moving, nodes, { told }).tell).to.have.length(RENEWING_MAX - 20);
  });

  it("changes the tokens with the root: they name it", () => {
    expect(moving.workerToken).to.equal(resting.workerToken);
    expect(moved.workerToken).to.not.equal(resting.workerToken);
    expect(moved.rotation).to.equal(undefined);
    expect(moved.keyPem).to.equal(moving.rotation?.keyPem);
  });
});
