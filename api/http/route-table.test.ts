import { expect } from "chai";
import { RouteTable } from "./route-table.ts";
import type { Method, Route } from "./router.ts";

const route = (line: string): Route => {
  const [method, path = ""] = line.split(" ");
  return { method: method as Method, path, handler: () => undefined };
};

describe("route table", () => {
  const table = new RouteTable(
    [
      "GET /images/json",
      "GET /images/*/json",
      "GET /images/*/history",
      "GET /images/*/get",
      "DELETE /images/*",
      "GET /services/:ref",
      "GET /services",
    ].map(route),
  );

  const cases: { asked: string; found: string; name?: string }[] = [
    { asked: "GET /images/json", found: "/images/json" },
    { asked: "GET /images/json/json", found: "/images/*/json", name: "json" },
    { asked: "GET /images/a/b:c/json", found: "/images/*/json", name: "a/b:c" },
    { asked: "GET /images/r:5000/a/b/json", found: "/images/*/json", name: "r:5000/a/b" },
    { asked: "GET /images/a%2Fb%3Ac/json", found: "/images/*/json", name: "a/b:c" },
    { asked: "GET /images/a/json/history", found: "/images/*/history", name: "a/json" },
    { asked: "DELETE /images/a/b/json", found: "/images/*", name: "a/b/json" },
    { asked: "GET /services/", found: "/services" },
    { asked: "GET /services/x", found: "/services/:ref" },
  ];
  for (const { asked, found, name } of cases) {
    it(`finds ${asked}`, () => {
      const [method = "", path = ""] = asked.split(" ");
      const result = table.find(method, path);
      expect(result?.route.path).to.equal(found);
      expect(result?.params["*"]).to.equal(name);
    });
  }

  for (const asked of ["GET /images/a", "GET /images//json", "POST /images/a/json", "GET /"]) {
    it(`finds nothing for ${asked}`, () => {
      const [method = "", path = ""] = asked.split(" ");
      expect(table.find(method, path)).to.equal(undefined);
    });
  }
});
