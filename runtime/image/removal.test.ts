import { expect } from "chai";
import { digestOfHex } from "./digest.ts";
import { planRemoval } from "./removal.ts";

const ID = digestOfHex("a".repeat(64));
const DIGEST = `@sha256:${"b".repeat(64)}`;
const WEB = "docker.io/library/web";
const SHOP = "docker.io/library/shop";

describe("image removal", () => {
  const base = { imageId: ID, typed: "web", users: [], hasChildren: false, force: false };
  const RUNNING = { containerId: "c2", running: true };
  const cases = [
    {
      name: "takes the last tag's digest and the image with it",
      request: { ...base, askedName: `${WEB}:1`, names: [`${WEB}:1`, WEB + DIGEST] },
      plan: { untag: [`${WEB}:1`, WEB + DIGEST], deleteImage: true },
    },
    {
      name: "takes one of several tags only",
      request: { ...base, askedName: `${WEB}:1`, names: [`${WEB}:1`, `${WEB}:2`, WEB + DIGEST] },
      plan: { untag: [`${WEB}:1`], deleteImage: false },
    },
    {
      name: "keeps the image for another repository",
      request: { ...base, askedName: `${WEB}:1`, names: [`${WEB}:1`, WEB + DIGEST, `${SHOP}:1`] },
      plan: { untag: [`${WEB}:1`, WEB + DIGEST], deleteImage: false },
    },
    {
      name: "by digest takes that name only",
      request: { ...base, askedName: WEB + DIGEST, names: [`${WEB}:1`, WEB + DIGEST] },
      plan: { untag: [WEB + DIGEST], deleteImage: false },
    },
    {
      name: "by id takes all names of one repository",
      request: { ...base, askedName: undefined, names: [`${WEB}:1`, `${WEB}:2`] },
      plan: { untag: [`${WEB}:1`, `${WEB}:2`], deleteImage: true },
    },
    {
      name: "by id takes an image without names",
      request: { ...base, askedName: undefined, names: [] },
      plan: { untag: [], deleteImage: true },
    },
    {
      name: "forced, keeps an image in use without a name",
      request: {
        ...base,
        force: true,
        users: [{ containerId: "c1", running: false }],
        askedName: `${WEB}:1`,
        names: [`${WEB}:1`],
      },
      plan: { untag: [`${WEB}:1`], deleteImage: false },
    },
    {
      name: "takes the names of an image others were built from",
      request: { ...base, hasChildren: true, askedName: undefined, names: [`${WEB}:1`] },
      plan: { untag: [`${WEB}:1`], deleteImage: false },
    },
    {
      name: "takes a spare tag of an image in use",
      request: {
        ...base,
        users: [{ containerId: "c1", running: false }],
        askedName: `${WEB}:1`,
        names: [`${WEB}:1`, `${WEB}:2`],
      },
      plan: { untag: [`${WEB}:1`], deleteImage: false },
    },
  ];
  for (const { name, request, plan } of cases) {
    it(name, () => expect(planRemoval(request)).to.deep.equal(plan));
  }

  const conflicts = [
    {
      name: "the last name of an image in use",
      request: {
        ...base,
        users: [{ containerId: "c1", running: false }],
        askedName: `${WEB}:1`,
        names: [`${WEB}:1`],
      },
      reason: /"web" \(must force\) - container c1 is using/,
    },
    {
      name: "an id in use",
      request: {
        ...base,
        users: [{ containerId: "c1", running: false }],
        askedName: undefined,
        names: [],
      },
      reason: /\(must be forced\) - image is being used by stopped container c1/,
    },
    {
      name: "an id in use by what runs, even forced",
      request: { ...base, users: [RUNNING], force: true, askedName: undefined, names: [] },
      reason: /\(cannot be forced\) - image is being used by running container c2/,
    },
    {
      name: "a nameless step that others were built from, even forced",
      request: { ...base, hasChildren: true, force: true, askedName: undefined, names: [] },
      reason: /\(cannot be forced\) - image has dependent child images/,
    },
    {
      name: "an id with names in several repositories",
      request: { ...base, askedName: undefined, names: [`${WEB}:1`, `${SHOP}:1`] },
      reason: /multiple repositories/,
    },
  ];
  for (const { name, request, reason } of conflicts) {
    it(`refuses ${name}`, () => {
      expect(() => planRemoval(request))
        .to.throw(reason)
        .with.property("code", "FailedPrecondition");
    });
  }
});
