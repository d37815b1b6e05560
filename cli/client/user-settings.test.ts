import { expect } from "chai";
import type { DockerConfig } from "./docker-config.ts";
import { proxyVariables } from "./user-settings.ts";

describe("client: the proxy of containers", () => {
  const proxies: DockerConfig["proxies"] = {
    default: { httpProxy: "http://p:3128", noProxy: "localhost", ftpProxy: "" },
    "tcp://far:2376": { allProxy: "socks://q" },
  };
  const cases: {
    host?: string;
    given?: string[];
    proxies?: Record<string, never>;
    expected: string[];
  }[] = [
    {
      expected: [
        ...["HTTP_PROXY=http://p:3128", "http_proxy=http://p:3128"],
        ...["NO_PROXY=localhost", "no_proxy=localhost"],
      ],
    },
    {
      given: ["HTTP_PROXY=", "no_proxy", "A=1"],
      expected: ["http_proxy=http://p:3128", "NO_PROXY=localhost"],
    },
    { host: "tcp://far:2376", expected: ["ALL_PROXY=socks://q", "all_proxy=socks://q"] },
    { proxies: {}, expected: [] },
    { host: "__proto__", proxies: {}, expected: [] },
  ];
  for (const { host = "unix:///a", given = [], expected, ...more } of cases)
    it(JSON.stringify({ host, given, ...more }), () =>
      expect(proxyVariables({ proxies, ...more }, host, given)).to.deep.equal(expected),
    );
});
