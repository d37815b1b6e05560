import type { MembershipBackend, NodeBackend } from "../backend.ts";
import { parseFilters } from "../http/filters.ts";
import { done, ok, type Route } from "../http/router.ts";
import { readNodeSpec, writeNode } from "../wire/node.ts";

const FILTERS = ["id", "label", "node.label", "membership", "name", "role"];

/** `/nodes…`; `self` stands for this node, whose id `membership` knows. Source: docker-engine-api-v1.51.yaml, tag Node. */
export function nodeRoutes(
  nodes: NodeBackend,
  membership: Pick<MembershipBackend, "swarmInfo">,
): Route[] {
  const resolve = (ref: string) => (ref === "self" ? membership.swarmInfo().nodeId || ref : ref);
  return [
    {
      method: "GET",
      path: "/nodes",
      handler: async ({ query }) => {
        const views = await nodes.listNodes(parseFilters(query.get("filters"), FILTERS));
        return ok(views.map(writeNode));
      },
    },
    {
      method: "GET",
      path: "/nodes/:ref",
      handler: async (exchange) => {
        const view = await nodes.getNode(resolve(exchange.param("ref")));
        return ok(writeNode(view));
      },
    },
    {
      method: "POST",
      path: "/nodes/:ref/update",
      handler: async (exchange) => {
        const version = exchange.version();
        const spec = readNodeSpec(await exchange.json());
        const force = exchange.flag("force");
        await nodes.updateNode(resolve(exchange.param("ref")), version, spec, force);
        return done();
      },
    },
    {
      method: "POST",
      path: "/nodes/:ref/approve",
      handler: async (exchange) => {
        await nodes.approveNode(resolve(exchange.param("ref")));
        return done();
      },
    },
    {
      method: "DELETE",
      path: "/nodes/:ref",
      handler: async (exchange) => {
        await nodes.removeNode(resolve(exchange.param("ref")), exchange.flag("force"));
        return done();
      },
    },
  ];
}
