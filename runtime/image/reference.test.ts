import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import {
  familiarReference,
  formatReference,
  parseDomain,
  parseReference,
  splitSearchTerm,
} from "./reference.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${HEX}`;

describe("image reference", () => {
  const valid = [
    { input: "nginx", whole: "docker.io/library/nginx:latest", familiar: "nginx:latest" },
    { input: "nginx:1.25", whole: "docker.io/library/nginx:1.25", familiar: "nginx:1.25" },
    { input: "library/nginx", whole: "docker.io/library/nginx:latest", familiar: "nginx:latest" },
    { input: "docker.io/nginx", whole: "docker.io/library/nginx:latest", familiar: "nginx:latest" },
    { input: "index.docker.io/a/b", whole: "docker.io/a/b:latest", familiar: "a/b:latest" },
    { input: "user/app", whole: "docker.io/user/app:latest", familiar: "user/app:latest" },
    {
      input: "docker.io/library/a/b",
      whole: "docker.io/library/a/b:latest",
      familiar: "library/a/b:latest",
    },
    {
      input: "docker.io/a.b/c",
      whole: "docker.io/a.b/c:latest",
      familiar: "docker.io/a.b/c:latest",
    },
    { input: "localhost/app", whole: "localhost/app:latest", familiar: "localhost/app:latest" },
    { input: "host:5000/app", whole: "host:5000/app:latest", familiar: "host:5000/app:latest" },
    { input: "Host/app", whole: "Host/app:latest", familiar: "Host/app:latest" },
    { input: "10.0.0.1:5000/a:v1", whole: "10.0.0.1:5000/a:v1", familiar: "10.0.0.1:5000/a:v1" },
    { input: "[::1]:5000/a", whole: "[::1]:5000/a:latest", familiar: "[::1]:5000/a:latest" },
    {
      input: "a__b/c-d.e_f",
      whole: "docker.io/a__b/c-d.e_f:latest",
      familiar: "a__b/c-d.e_f:latest",
    },
    {
      input: `nginx@${DIGEST}`,
      whole: `docker.io/library/nginx@${DIGEST}`,
      familiar: `nginx@${DIGEST}`,
    },
    {
      input: `nginx:1@${DIGEST}`,
      whole: `docker.io/library/nginx:1@${DIGEST}`,
      familiar: `nginx:1@${DIGEST}`,
    },
  ];
  for (const { input, whole, familiar } of valid) {
    it(`reads ${input}`, () => {
      const reference = parseReference(input);
      expect(formatReference(reference)).to.equal(whole);
      expect(familiarReference(reference)).to.equal(familiar);
    });
  }

  const invalid = [
    "",
    ":",
    "/",
    "@",
    "nginx:",
    "nginx@",
    ":tag",
    "NGINX",
    "a//b",
    "/nginx",
    "nginx/",
    "-nginx",
    "a..b",
    "a___b",
    "nginx:tag:tag",
    "nginx:-tag",
    `nginx:${"t".repeat(129)}`,
    "nginx@sha256:abc",
    `nginx@sha512:${HEX}`,
    `nginx@${DIGEST.toUpperCase()}`,
    `nginx@${DIGEST}@${DIGEST}`,
    HEX,
    "host:99999/app",
    "host:/app",
    "-host.com/app",
    "https://host/app",
    "ngin x",
    "nginx\n",
    "ngïnx",
    "../etc",
    "a".repeat(256),
    "a".repeat(100_000),
  ];
  for (const input of invalid) {
    it(`refuses ${JSON.stringify(input.slice(0, 60))}`, () => {
      expect(() => parseReference(input))
        .to.throw(ClusterError, /^invalid reference format: /)
        .with.property("code", "InvalidArgument");
    });
  }
});

describe("addresses of registries", () => {
  const cases: [string, string][] = [
    ["", "docker.io"],
    ["https://index.docker.io/v1/", "docker.io"],
    ["http://r:5000/v2/", "r:5000"],
    ["registry", "registry"],
    ["[::1]:5000", "[::1]:5000"],
  ];
  for (const [text, domain] of cases) {
    it(`read "${text}"`, () => expect(parseDomain(text)).to.equal(domain));
  }
  for (const text of ["user@host", "a b", "-x", "host:99999", "h ost://x"]) {
    it(`refuse "${text}"`, () => expect(() => parseDomain(text)).to.throw(ClusterError));
  }
  it("are told from what is searched for", () => {
    expect(splitSearchTerm("team/box")).to.deep.equal({ domain: "docker.io", term: "team/box" });
    expect(splitSearchTerm("r:1/box")).to.deep.equal({ domain: "r:1", term: "box" });
  });
});
