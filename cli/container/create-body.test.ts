import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { Verb } from "../words/verb.ts";
import { addContainerFlags, type ContainerOptions, createBody } from "./create-body.ts";
import { parseExposed, parsePortBindings } from "./publish.ts";

/** What is sent of every container somebody may stay with. */
const SHOWN = { Image: "web", AttachStdout: true, AttachStderr: true };

/** What is sent for a line of words. */
function bodyOf(line: string): unknown {
  let body: unknown;
  const root = new Verb().enablePositionalOptions().exitOverride();
  addContainerFlags(root.command("run").exitOverride()).action(
    (image: string, command: string[], options: ContainerOptions) => {
      body = createBody(image, command, options);
    },
  );
  root.parse(["run", ...line.split(" ")], { from: "user" });
  return body;
}

describe("container flags", () => {
  const cases: { line: string; expected: object }[] = [
    { line: "web sh -c ls -e", expected: { Cmd: ["sh", "-c", "ls", "-e"] } },
    {
      line: "-it -e A=1 -e B= -u 1:2 -w /srv --entrypoint sh -h box web",
      expected: {
        ...{
          Tty: true,
          OpenStdin: true,
          StdinOnce: true,
          AttachStdin: true,
          Env: ["A=1", "B="],
          User: "1:2",
          WorkingDir: "/srv",
        },
        ...{ Entrypoint: ["sh"], Hostname: "box" },
      },
    },
    { line: "-e MUSTER_SURELY_UNSET web", expected: { Env: ["MUSTER_SURELY_UNSET"] } },
    {
      line: "-l a=b=c --label d --stop-timeout -1 web",
      expected: { Labels: { a: "b=c", d: "" }, StopTimeout: -1 },
    },
    {
      line: "--rm=false --init=false --restart on-failure:3 --read-only --privileged=1 web",
      expected: {
        HostConfig: {
          ...{ AutoRemove: false, Init: false, ReadonlyRootfs: true, Privileged: true },
          RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
        },
      },
    },
    {
      line: "-v /a:/b:ro -v data:/c -v /d --tmpfs /e --tmpfs /f:size=1m,mode=700 web",
      expected: {
        Volumes: { "/d": {} },
        HostConfig: {
          Binds: ["/a:/b:ro", "data:/c"],
          Tmpfs: { "/e": "", "/f": "size=1m,mode=700" },
        },
      },
    },
    {
      line: "--device /dev/null:/dev/x:r --device /dev/zero:w --device v.com/gpu=all web",
      expected: {
        HostConfig: {
          Devices: [
            { PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "r" },
            { PathOnHost: "/dev/zero", PathInContainer: "/dev/zero", CgroupPermissions: "w" },
          ],
          DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["v.com/gpu=all"] }],
        },
      },
    },
    {
      line: "--gpus 2 --security-opt systempaths=unconfined --annotation a=b web",
      expected: {
        HostConfig: {
          Annotations: { a: "b" },
          DeviceRequests: [{ Capabilities: [["gpu"]], Count: 2 }],
          ...{ MaskedPaths: [], ReadonlyPaths: [] },
        },
      },
    },
    {
      line: "--device-read-bps /dev/sda:1mb --blkio-weight-device /dev/sda:10 --cpus .5 web",
      expected: {
        HostConfig: {
          BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1_048_576 }],
          BlkioWeightDevice: [{ Path: "/dev/sda", Weight: 10 }],
          NanoCpus: 500_000_000,
        },
      },
    },
    {
      line: "-p published=8080,target=80,protocol=udp -p 0:81 --add-host a=[::1] web",
      expected: {
        ExposedPorts: { "80/udp": {}, "81/tcp": {} },
        HostConfig: {
          ExtraHosts: ["a:::1"],
          PortBindings: {
            "80/udp": [{ HostIp: "", HostPort: "8080" }],
            "81/tcp": [{ HostIp: "", HostPort: "0" }],
          },
        },
      },
    },
    {
      line: "-m 64m --memory-swap -1 --cpus 0.5 --pids-limit -1 --ulimit nofile=1:2 web",
      expected: {
        HostConfig: {
          ...{ Memory: 67_108_864, MemorySwap: -1, NanoCpus: 500_000_000, PidsLimit: -1 },
          Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
        },
      },
    },
    {
      line: "-p 8080:80 -p 127.0.0.1::53/udp -p 80 --expose 9 -P --network none web",
      expected: {
        ExposedPorts: { "80/tcp": {}, "53/udp": {}, "9/tcp": {} },
        HostConfig: {
          PortBindings: {
            "80/tcp": [
              { HostIp: "", HostPort: "8080" },
              { HostIp: "", HostPort: "" },
            ],
            "53/udp": [{ HostIp: "127.0.0.1", HostPort: "" }],
          },
          PublishAllPorts: true,
          NetworkMode: "none",
        },
      },
    },
    {
      line: "--health-cmd true --health-interval 1.5s --health-retries 2 web",
      expected: {
        Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 1_500_000_000, Retries: 2 },
      },
    },
    { line: "--no-healthcheck web", expected: { Healthcheck: { Test: ["NONE"] } } },
    {
      line: "--cap-add A --cap-add B --security-opt seccomp=unconfined --log-opt a=b web",
      expected: {
        HostConfig: {
          ...{ CapAdd: ["A", "B"], SecurityOpt: ["seccomp=unconfined"] },
          LogConfig: { Config: { a: "b" } },
        },
      },
    },
  ];
  for (const { line, expected } of cases)
    it(line, () => expect(bodyOf(line)).to.deep.equal({ ...SHOWN, ...expected }));

  it("-a stdin -i web", () =>
    expect(bodyOf("-a stdin -i web")).to.deep.equal({
      ...{ Image: "web", OpenStdin: true, StdinOnce: true, AttachStdin: true },
    }));

  const bad = [
    "-m 1x web",
    "--cpus a web",
    "-p 0 web",
    "-p 1-2:1-3 web",
    "--restart on-failure:x web",
  ];
  const worse = [
    "--gpus x web",
    "-a x web",
    "--security-opt foo web",
    "--blkio-weight-device a:1 web",
  ];
  const worst = ["-e =a web", "-l =a web", "--add-host a web", "-p target=80,mod=x web"];
  const clash = ["--rm --restart always web", "--health-cmd a --no-healthcheck web"];
  for (const line of [...worse, ...worst, ...clash, "--use-api-socket web"])
    it(`refuses ${line}`, () => expect(() => bodyOf(line)).to.throw(ClusterError));
  for (const line of [...bad, "--pids-limit 1.5 web", "--expose a web", "--ulimit x web"])
    it(`refuses ${line}`, () => expect(() => bodyOf(line)).to.throw(ClusterError, /^invalid/));
});

describe("container flags: ports", () => {
  const cases: { text: string; expected: string[] }[] = [
    { text: "80", expected: ["80/tcp  "] },
    { text: "8000-8001:80-81/udp", expected: ["80/udp  8000", "81/udp  8001"] },
    { text: "8000-8010:80", expected: ["80/tcp  8000-8010"] },
    { text: "[::1]:81:80/sctp", expected: ["80/sctp ::1 81"] },
    { text: "10.0.0.1:80-81:80-81", expected: ["80/tcp 10.0.0.1 80", "81/tcp 10.0.0.1 81"] },
    { text: "0.0.0.0::80", expected: ["80/tcp 0.0.0.0 "] },
  ];
  for (const { text, expected } of cases)
    it(text, () =>
      expect(
        parsePortBindings(text).map(
          ({ port, HostIp, HostPort }) => `${port} ${HostIp} ${HostPort}`,
        ),
      ).to.deep.equal(expected),
    );
  for (const text of ["", ":", "a", "1:2:3:4", "80/icmp", "65536", "2-1", "80:", "::1:80:80"])
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(() => parsePortBindings(text)).to.throw(ClusterError));
  it("exposed ones may be ranges", () =>
    expect(parseExposed("80-82/udp")).to.deep.equal(["80/udp", "81/udp", "82/udp"]));
});
