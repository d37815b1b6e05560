import { ClusterError } from "../../core/errors.ts";
import type { ClusterBackend, InitOptions, JoinOptions, MembershipBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { JsonReader } from "../http/json-reader.ts";
import { done, ok, type Route } from "../http/router.ts";
import { readAvailability } from "../wire/node.ts";
import { readSigningCa, readSwarmSpec, writeSwarm } from "../wire/swarm.ts";

/** `/swarm…`. Source: docker-engine-api-v1.51.yaml, tag Swarm. */
export function swarmRoutes(cluster: ClusterBackend, membership: MembershipBackend): Route[] {
  return [
    {
      method: "GET",
      path: "/swarm",
      handler: async () => ok(writeSwarm(await cluster.getCluster())),
    },
    {
      method: "POST",
      path: "/swarm/init",
      handler: async (exchange) => ok(await membership.init(readInit(await exchange.json()))),
    },
    {
      method: "POST",
      path: "/swarm/join",
      handler: async (exchange) => {
        await membership.join(readJoin(await exchange.json()));
        return done();
      },
    },
    {
      method: "POST",
      path: "/swarm/leave",
      handler: async (exchange) => {
        await membership.leave(exchange.flag("force"));
        return done();
      },
    },
    {
      method: "POST",
      path: "/swarm/update",
      handler: async (exchange) => update(cluster, exchange),
    },
    {
      method: "GET",
      path: "/swarm/unlockkey",
      handler: async () => ok({ UnlockKey: await cluster.getUnlockKey() }),
    },
    {
      method: "POST",
      path: "/swarm/unlock",
      handler: async (exchange) => {
        const json = new JsonReader(await exchange.json(), "SwarmUnlock");
        await membership.unlock(json.string("UnlockKey"));
        return done();
      },
    },
  ];
}

async function update(cluster: ClusterBackend, exchange: Exchange) {
  const current = await cluster.getCluster();
  if (current.spec === undefined) throw new ClusterError("Internal", "the cluster has no spec");
  const body = await exchange.json();
  const { cert, key } = readSigningCa(body);
  await cluster.updateCluster({
    version: exchange.version(),
    spec: readSwarmSpec(body, current.spec),
    ...(cert === "" && key === "" ? {} : { signingCaCert: cert, signingCaKey: key }),
    rotateWorkerToken: exchange.flag("rotateWorkerToken"),
    rotateManagerToken: exchange.flag("rotateManagerToken"),
    rotateUnlockKey: exchange.flag("rotateManagerUnlockKey"),
  });
  return done();
}

function readInit(body: unknown): InitOptions {
  const json = new JsonReader(body, "SwarmInit");
  json.refuse("DataPathAddr");
  json.object("Spec").object("CAConfig").refuse("SigningCACert", "SigningCAKey");
  return {
    listenAddr: json.string("ListenAddr"),
    advertiseAddr: json.string("AdvertiseAddr"),
    availability: readAvailability(json),
    forceNewCluster: json.boolean("ForceNewCluster"),
    defaultAddressPools: json.strings("DefaultAddrPool"),
    subnetSize: json.count("SubnetSize"),
    dataPathPort: json.count("DataPathPort"),
    amendSpec: (spec) => readSwarmSpec((body as { Spec?: unknown } | null)?.Spec ?? {}, spec),
  };
}

function readJoin(body: unknown): JoinOptions {
  const json = new JsonReader(body, "SwarmJoin");
  json.refuse("DataPathAddr");
  return {
    listenAddr: json.string("ListenAddr"),
    advertiseAddr: json.string("AdvertiseAddr"),
    availability: readAvailability(json),
    remoteAddrs: json.strings("RemoteAddrs"),
    joinToken: json.string("JoinToken"),
  };
}
