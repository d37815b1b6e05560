import type { MembershipBackend, SystemBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { writeInfo, writeVersion } from "../wire/info.ts";

/** `/_ping`, `/version`, `/info`, `/distribution`. Source: docker-engine-api-v1.51.yaml, tags System and Distribution. */
export function systemRoutes(
  system: SystemBackend,
  membership: Pick<MembershipBackend, "swarmInfo">,
): Route[] {
  const ping = (exchange: Exchange) => answerPing(exchange, membership);
  return [
    { method: "GET", path: "/_ping", handler: ping },
    { method: "HEAD", path: "/_ping", handler: ping },
    { method: "GET", path: "/version", handler: () => ok(writeVersion(system.facts())) },
    {
      method: "GET",
      path: "/info",
      handler: ({ apiMinor }) => ok(writeInfo(system.facts(), membership.swarmInfo(), apiMinor)),
    },
    {
      method: "GET",
      path: "/distribution/*/json",
      handler: async (exchange) => {
        const image = exchange.param("*");
        const facts = await system.distribution(image, exchange.header("x-registry-auth"));
        return ok({
          Descriptor: { mediaType: facts.mediaType, digest: facts.digest, size: facts.sizeBytes },
          Platforms: facts.platforms.map(({ architecture, os, variant }) => ({
            architecture,
            os,
            ...(variant === "" ? {} : { variant }),
          })),
        });
      },
    },
  ];
}

/** Old clients want the text `OK`; all read the headers to learn the version and the swarm's state. */
function answerPing(
  { request, response }: Exchange,
  membership: Pick<MembershipBackend, "swarmInfo">,
): Answer {
  const { state, isManager } = membership.swarmInfo();
  response.writeHead(200, {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    Pragma: "no-cache",
    "Builder-Version": "1",
    Swarm: state === "active" ? `active/${isManager ? "manager" : "worker"}` : state,
    "Content-Length": 2,
  });
  response.end(request.method === "HEAD" ? undefined : "OK");
  return undefined;
}
