import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import {
  ContainerSpec,
  EndpointSpec,
  EndpointSpec_Mode,
  HealthConfig,
  Mount,
  PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  Resources,
  RestartPolicy,
  ServiceSpec,
  TaskSpec,
  UpdateConfig,
} from "../../../proto/gen/objects.ts";
import {
  checkServiceChange,
  checkServiceSpec,
  REPLICAS_MAX,
  SPEC_BYTES_MAX,
} from "./service-spec.ts";

const container = (part: Partial<ContainerSpec> = {}) =>
  ContainerSpec.create({ image: "nginx:1", ...part });
const task = (part: Partial<TaskSpec> = {}) => TaskSpec.create({ container: container(), ...part });
const spec = (part: Partial<ServiceSpec> = {}) =>
  ServiceSpec.create({ name: "web", task: task(), ...part });
const withContainer = (part: Partial<ContainerSpec>) =>
  spec({ task: task({ container: container(part) }) });
const replicas = (count: number) =>
  spec({ mode: { $case: "replicated", value: { replicas: count } } });
const limits = (part: Partial<Resources>) =>
  spec({ task: task({ resources: { limits: Resources.create(part) } }) });
const ports = (...list: Partial<PortConfig>[]) =>
  spec({ endpoint: EndpointSpec.create({ ports: list.map((port) => PortConfig.create(port)) }) });
const endpointMode = (mode: number) =>
  spec({ endpoint: EndpointSpec.create({ mode: mode as EndpointSpec_Mode }) });
const mount = (part: Partial<Mount>) => withContainer({ mounts: [Mount.create(part)] });
const labels = (json: string) => ({
  ...spec(),
  labels: JSON.parse(json) as Record<string, string>,
});

const REFUSED: { name: string; spec: ServiceSpec | undefined; says: RegExp }[] = [
  { name: "no spec", spec: undefined, says: /must be provided/ },
  { name: "no name", spec: spec({ name: "" }), says: /name must be provided/ },
  { name: "a name of 64", spec: spec({ name: "a".repeat(64) }), says: /63 characters or fewer/ },
  { name: "a name with NUL", spec: spec({ name: "a\0b" }), says: /valid as a DNS name/ },
  { name: "a name with a line break", spec: spec({ name: "web\n" }), says: /valid as a DNS name/ },
  { name: "a name that is a path", spec: spec({ name: "../etc" }), says: /valid as a DNS name/ },
  { name: "a name that looks alike", spec: spec({ name: "wеb" }), says: /valid as a DNS name/ },
  { name: "-1 replicas", spec: replicas(-1), says: /Number of replicas must be non-negative/ },
  { name: "half a replica", spec: replicas(1.5), says: /whole number/ },
  { name: "NaN replicas", spec: replicas(Number.NaN), says: /whole number/ },
  { name: "2^53+1 replicas", spec: replicas(2 ** 53 + 2), says: /whole number/ },
  { name: "a million replicas", spec: replicas(1e6), says: /at most 100000/ },
  { name: "no container", spec: spec({ task: TaskSpec.create() }), says: /missing runtime/ },
  { name: "no image", spec: withContainer({ image: "" }), says: /image reference must be/ },
  { name: "an image with blanks", spec: withContainer({ image: "a b" }), says: /not a valid repo/ },
  { name: "an image in capitals", spec: withContainer({ image: "Nginx" }), says: /not a valid/ },
  { name: "a short digest", spec: withContainer({ image: "a@sha256:00" }), says: /not a valid/ },
  { name: "a thousandth of a thousandth CPU", spec: limits({ nanoCpus: 1000 }), says: /cpu value/ },
  { name: "negative CPUs", spec: limits({ nanoCpus: -1e9 }), says: /invalid cpu value -1/ },
  { name: "1 MiB of memory", spec: limits({ memoryBytes: 2 ** 20 }), says: /at least 4MiB/ },
  { name: "2^63 bytes", spec: limits({ memoryBytes: 2 ** 63 }), says: /invalid memory value/ },
  { name: "negative pids", spec: limits({ pids: -1 }), says: /pids in limits must be non-neg/ },
  {
    name: "more memory reserved than allowed",
    spec: spec({
      task: task({
        resources: {
          limits: Resources.create({ memoryBytes: 2 ** 23 }),
          reservations: Resources.create({ memoryBytes: 2 ** 24 }),
        },
      }),
    }),
    says: /memory reservation/,
  },
  {
    name: "a negative restart delay",
    spec: spec({ task: task({ restart: { condition: 0, delayNs: -1 } }) }),
    says: /restart-delay cannot be negative/,
  },
  {
    name: "a negative update delay",
    spec: spec({ update: UpdateConfig.create({ delayNs: -1 }) }),
    says: /update-delay cannot be negative/,
  },
  {
    name: "a failure ratio over 1",
    spec: spec({ rollback: UpdateConfig.create({ maxFailureRatio: 1.1 }) }),
    says: /rollback-maxfailureratio/,
  },
  { name: "target port 0", spec: ports({ targetPort: 0 }), says: /target port must be at least 1/ },
  {
    name: "port 65536",
    spec: ports({ targetPort: 80, publishedPort: 65_536 }),
    says: /at most 65535/,
  },
  {
    name: "a port published twice, once without saying TCP",
    spec: ports(
      { targetPort: 80, publishedPort: 8080 },
      { targetPort: 81, publishedPort: 8080, protocol: PortConfig_Protocol.TCP },
    ),
    says: /duplicate published ports/,
  },
  {
    name: "ingress ports without a VIP",
    spec: spec({
      endpoint: {
        mode: EndpointSpec_Mode.DNSRR,
        ports: [PortConfig.create({ targetPort: 80, publishedPort: 80 })],
      },
    }),
    says: /can't be used with dnsrr/,
  },
  { name: "a mode of ports that is unknown", spec: endpointMode(9), says: /mode: unknown value 9/ },
  {
    name: "an unknown protocol",
    spec: ports({ targetPort: 80, protocol: 9 as never }),
    says: /protocol: unknown value 9/,
  },
  {
    name: "an unknown way to publish",
    spec: ports({ targetPort: 80, publishMode: 9 as never }),
    says: /publish mode: unknown value 9/,
  },
  {
    name: "an unknown condition to restart",
    spec: spec({ task: task({ restart: RestartPolicy.create({ condition: 9 as never }) }) }),
    says: /restart-condition: unknown value 9/,
  },
  {
    name: "an unknown order of updates",
    spec: spec({ update: UpdateConfig.create({ order: 9 as never }) }),
    says: /update-order: unknown value 9/,
  },
  {
    name: "an unknown answer to failures",
    spec: spec({ rollback: UpdateConfig.create({ failureAction: 9 as never }) }),
    says: /rollback-failure-action: unknown value 9/,
  },
  { name: "env without a name", spec: withContainer({ env: ["=x"] }), says: /invalid environment/ },
  { name: "a relative directory", spec: withContainer({ dir: "app" }), says: /must be absolute/ },
  { name: "a directory with ..", spec: withContainer({ dir: "/a/../.." }), says: /'\.\.'/ },
  {
    name: "a health check every nanosecond",
    spec: withContainer({ healthcheck: HealthConfig.create({ intervalNs: 1 }) }),
    says: /Interval in HealthConfig cannot be less/,
  },
  {
    name: "an unknown mount",
    spec: mount({ type: "nfs", target: "/a" }),
    says: /invalid mount type/,
  },
  { name: "a mount on /", spec: mount({ type: "tmpfs", target: "//" }), says: /must not be '\/'/ },
  {
    name: "a bind of nothing",
    spec: mount({ type: "bind", target: "/a" }),
    says: /Source must not/,
  },
  {
    name: "a bind that climbs",
    spec: mount({ type: "bind", source: "/srv/../etc", target: "/a" }),
    says: /mount source/,
  },
  {
    name: "two mounts in one place",
    spec: withContainer({
      mounts: [
        Mount.create({ type: "tmpfs", target: "/a" }),
        Mount.create({ type: "volume", source: "v", target: "/a/" }),
      ],
    }),
    says: /duplicate mount point/,
  },
  {
    name: "a sysctl with a line break",
    spec: withContainer({ sysctls: { "net.core.somaxconn": "1\nkernel.core_pattern=|/x" } }),
    says: /invalid sysctl/,
  },
  {
    name: "a sysctl that climbs",
    spec: withContainer({ sysctls: { "net/../kernel/core_pattern": "1" } }),
    says: /invalid sysctl/,
  },
  { name: "a label __proto__", spec: labels('{"__proto__":"x"}'), says: /reserved/ },
  {
    name: "a spec of two MiB",
    spec: withContainer({ env: [`A=${"x".repeat(2 ** 21)}`] }),
    says: new RegExp(`at most ${SPEC_BYTES_MAX} can be stored`),
  },
];

describe("control: service spec", () => {
  for (const { name, spec: refused, says } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(() => checkServiceSpec(refused))
        .to.throw(ClusterError, says)
        .with.property("code", "InvalidArgument");
    });
  }

  const accepted = [
    { name: "the least", spec: spec() },
    { name: "no replicas", spec: replicas(0) },
    { name: "the most replicas", spec: replicas(REPLICAS_MAX) },
    { name: "a global service", spec: spec({ mode: { $case: "global", value: {} } }) },
    { name: "a name of 63", spec: spec({ name: "a".repeat(63) }) },
    { name: "a label constructor", spec: labels('{"constructor":"x"}') },
    {
      name: "one target published twice",
      spec: ports({ targetPort: 80, publishedPort: 1 }, { targetPort: 80, publishedPort: 2 }),
    },
    {
      name: "one port for TCP and UDP",
      spec: ports(
        { targetPort: 53, publishedPort: 53 },
        { targetPort: 53, publishedPort: 53, protocol: PortConfig_Protocol.UDP },
      ),
    },
    {
      name: "host ports without a VIP",
      spec: spec({
        endpoint: {
          mode: EndpointSpec_Mode.DNSRR,
          ports: [PortConfig.create({ targetPort: 80, publishMode: PortConfig_PublishMode.HOST })],
        },
      }),
    },
  ];
  for (const { name, spec: good } of accepted) {
    it(`accepts ${name} and changes nothing of it`, () => {
      expect(checkServiceSpec(good)).to.deep.equal(good);
    });
  }

  const images = [
    "nginx",
    "library/nginx:latest",
    "localhost:5000/a/b__c:1.2_3-x",
    "registry.example.com/app",
    "[::1]:5000/app",
    "10.0.0.1:5000/app:v1",
    `app:1@sha256:${"0".repeat(64)}`,
  ];
  for (const image of images) {
    it(`takes ${image} for an image`, () => {
      expect(() => checkServiceSpec(withContainer({ image }))).not.to.throw();
    });
  }

  it("refuses another name and another mode for a service there is", () => {
    expect(() => checkServiceChange(spec(), spec({ name: "api" }))).to.throw(/renaming services/);
    const global = spec({ mode: { $case: "global", value: {} } });
    expect(() => checkServiceChange(spec(), global)).to.throw(/mode change is not allowed/);
    expect(() => checkServiceChange(spec(), replicas(3))).not.to.throw();
  });
});
