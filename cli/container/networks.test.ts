import { expect } from "chai";
import { applyNetworks, type NetworkOptions } from "./networks.ts";

describe("container networks", () => {
  const cases: { options: NetworkOptions; mode?: string; links?: string[]; endpoints?: object }[] =
    [
      { options: {} },
      { options: { network: ["host"] }, mode: "host" },
      { options: { network: ["app"] }, mode: "app" },
      {
        options: { network: ["a", "name=b,alias=x,alias=y,gw-priority=2"] },
        mode: "a",
        endpoints: { a: {}, b: { Aliases: ["x", "y"], GwPriority: 2 } },
      },
      {
        options: {
          ...{ network: ["app"], networkAlias: ["x"], link: ["db:d"], ip: "10.0.0.9" },
          ...{ ip6: "fd00::9", linkLocalIp: ["169.254.1.1"], macAddress: "02:42:ac:11:00:02" },
        },
        mode: "app",
        endpoints: {
          app: {
            ...{ Aliases: ["x"], Links: ["db:d"], MacAddress: "02:42:ac:11:00:02" },
            IPAMConfig: {
              ...{ IPv4Address: "10.0.0.9", IPv6Address: "fd00::9", LinkLocalIPs: ["169.254.1.1"] },
            },
          },
        },
      },
      {
        options: { network: ["name=a,ip=10.0.0.2,driver-opt=k=v=w,mac-address=02:42:ac:11:00:02"] },
        mode: "a",
        endpoints: {
          a: {
            ...{ IPAMConfig: { IPv4Address: "10.0.0.2" }, DriverOpts: { k: "v=w" } },
            MacAddress: "02:42:ac:11:00:02",
          },
        },
      },
      { options: { link: ["db"] }, links: ["db"] },
      {
        options: { ip: "10.0.0.2" },
        endpoints: { default: { IPAMConfig: { IPv4Address: "10.0.0.2" } } },
      },
      { options: { network: ["__proto__"] }, mode: "__proto__" },
    ];
  for (const { options, mode, links, endpoints } of cases)
    it(JSON.stringify(options), () => {
      const body = { Image: "web" };
      applyNetworks(body, options);
      const host = { ...(links && { Links: links }), ...(mode && { NetworkMode: mode }) };
      expect(JSON.parse(JSON.stringify(body))).to.deep.equal({
        Image: "web",
        ...(Object.keys(host).length > 0 && { HostConfig: host }),
        ...(endpoints && { NetworkingConfig: { EndpointsConfig: endpoints } }),
      });
    });

  const bad: { options: NetworkOptions; says: string }[] = [
    { options: { network: ["a", "host"] }, says: "cannot attach both" },
    { options: { network: ["a", "a"] }, says: "specified multiple times" },
    { options: { networkAlias: ["x"] }, says: "only supported for user-defined networks" },
    { options: { network: ["name=a,alias=x"], networkAlias: ["y"] }, says: "--network-alias and" },
    { options: { network: ["name=a,ip=1.2.3.4"], ip: "1.2.3.5" }, says: "--ip and" },
    { options: { network: ["alias=a"] }, says: "name=NETWORK is missing" },
    { options: { network: ["name=a,foo=b"] }, says: "invalid field key foo" },
    { options: { network: ["name=a,foo"] }, says: "invalid field foo" },
    { options: { network: ["name=a,gw-priority=x"] }, says: "must be a whole number" },
  ];
  for (const { options, says } of bad)
    it(`refuses ${JSON.stringify(options)}`, () =>
      expect(() => applyNetworks({ Image: "web" }, options)).to.throw(says));
});
