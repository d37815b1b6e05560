import { expect } from "chai";
import { findCachedStep } from "./cached-step.ts";

interface Told {
  readonly history: readonly (readonly [createdBy: string, hasLayer: boolean])[];
  readonly layers: readonly string[];
}

function documentOf({ history, layers }: Told) {
  const steps = history.map(([created_by, hasLayer]) => ({
    created: "2024-01-01T00:00:00Z",
    created_by,
    ...(hasLayer ? {} : { empty_layer: true }),
  }));
  return { history: steps, rootfs: { type: "layers", diff_ids: layers } };
}

const BASE: Told = { history: [["ADD rootfs", true]], layers: ["a"] };
const SOURCE: Told = {
  history: [...BASE.history, ["ENV x", false], ["RUN y", true]],
  layers: ["a", "b"],
};
const WITH_ENV: Told = { history: SOURCE.history.slice(0, 2), layers: ["a"] };

const CASES: readonly {
  readonly name: string;
  readonly base: Told | undefined;
  readonly source?: Told;
  readonly createdBy: string;
  readonly found?: { readonly layer: number | undefined; readonly isLast: boolean };
}[] = [
  {
    name: "a step without a layer",
    base: BASE,
    createdBy: "ENV x",
    found: { layer: undefined, isLast: false },
  },
  {
    name: "the last step, and its layer",
    base: WITH_ENV,
    createdBy: "RUN y",
    found: { layer: 1, isLast: true },
  },
  {
    name: "the first step over nothing",
    base: undefined,
    createdBy: "ADD rootfs",
    found: { layer: 0, isLast: false },
  },
  { name: "another step", base: BASE, createdBy: "ENV z" },
  { name: "a step that comes later", base: BASE, createdBy: "RUN y" },
  { name: "a step after the end", base: SOURCE, createdBy: "RUN y" },
  {
    name: "another base's history",
    base: { history: [["ADD other", true]], layers: ["a"] },
    createdBy: "ENV x",
  },
  {
    name: "another base's layers",
    base: { history: BASE.history, layers: ["z"] },
    createdBy: "ENV x",
  },
  {
    name: "a base that does not tell its layers",
    base: { history: [], layers: ["a"] },
    createdBy: "ADD rootfs",
  },
  {
    name: "a layer that is not there",
    base: WITH_ENV,
    source: { history: SOURCE.history, layers: ["a"] },
    createdBy: "RUN y",
  },
];

describe("images as a cache of builds", () => {
  for (const { name, base, source = SOURCE, createdBy, found } of CASES)
    it(`${found === undefined ? "do not have" : "have"} ${name}`, () => {
      const step = findCachedStep(base && documentOf(base), documentOf(source), createdBy);
      if (found === undefined) expect(step).to.equal(undefined);
      else {
        expect(step?.entry.created_by).to.equal(createdBy);
        expect(step).to.include(found);
      }
    });
});
