import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { servedRoutes } from "../../api/api.ts";
import type { Backends } from "../../api/backend.ts";
import { RouteTable } from "../../api/http/route-table.ts";
import type { Route } from "../../api/http/router.ts";
import { unsupportedRoutes } from "../../api/routes/unsupported.ts";
import { Swagger } from "../support/swagger.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SWAGGER = resolve(ROOT, "../shared/reference/docker-engine-api-v1.51.yaml");

/** The table's rows: each operation with its word. */
function readTable(): Map<string, string> {
  const text = readFileSync(resolve(ROOT, "docs/docker-compatibility.md"), "utf8");
  const rows = text.matchAll(/^\| `([A-Z]+ \/[^`]*)` *\| ([a-z ]+?) *\|/gm);
  return new Map([...rows].map(([, operation = "", word = ""]) => [operation, word]));
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** The route of `routes` that an operation like `GET /services/{id}` comes to. */
function newFinder(routes: readonly Route[]): (operation: string) => string | undefined {
  const table = new RouteTable(routes);
  return (operation) => {
    const [method = "", path = ""] = operation.split(" ");
    const found = table.find(method, path.replaceAll(/\{\w+\}/g, "x"));
    return found && nameOf(found.route);
  };
}

describe("docs/docker-compatibility.md", () => {
  const table = readTable();
  // The tables of routes are all that is looked at: no handler is called.
  const backends = {} as Backends;
  const served = servedRoutes(backends);
  const findServed = newFinder(served);
  const findRefused = newFinder(unsupportedRoutes());

  for (const [operation, word] of table) {
    it(`is right: ${operation} is ${word}`, () => {
      const route = findServed(operation);
      if (word === "not yet") {
        expect(route).to.equal(undefined);
        expect(findRefused(operation)).to.be.a("string");
      } else {
        expect(route).to.be.a("string");
        expect(word).to.be.oneOf(["served", "refused", "own"]);
      }
    });
  }

  it("names all that is served", () => {
    const named = new Set([...table.keys()].map(findServed));
    expect(served.map(nameOf).filter((name) => !named.has(name))).to.deep.equal([]);
  });

  it("names all that Docker has", function () {
    if (!existsSync(SWAGGER)) this.skip();
    const operations = new Swagger(SWAGGER).operations();
    expect(operations.filter((operation) => !table.has(operation))).to.deep.equal([]);
    const beyond = [...table.keys()].filter((row) => !operations.includes(row));
    expect(beyond.map((row) => table.get(row)).filter((word) => word !== "own")).to.deep.equal([]);
  }).timeout(10_000);
});
