import { expect } from "chai";
import { endpointsOf } from "./endpoints.ts";

const options = {
  insecureRegistries: ["10.0.0.0/8", "lab:5000", "plain.example", "fd00::/8"],
  mirrors: ["https://mirror.example/", "http://10.1.1.1:5000"],
};

describe("registry endpoints", () => {
  const cases = [
    { domain: "ghcr.io", urls: ["https://ghcr.io verified"] },
    { domain: "localhost:5000", urls: ["https://localhost:5000", "http://localhost:5000"] },
    { domain: "127.1.2.3:5000", urls: ["https://127.1.2.3:5000", "http://127.1.2.3:5000"] },
    { domain: "[::1]:5000", urls: ["https://[::1]:5000", "http://[::1]:5000"] },
    { domain: "10.9.9.9", urls: ["https://10.9.9.9", "http://10.9.9.9"] },
    { domain: "11.9.9.9", urls: ["https://11.9.9.9 verified"] },
    { domain: "[fd00::5]:1", urls: ["https://[fd00::5]:1", "http://[fd00::5]:1"] },
    { domain: "lab:5000", urls: ["https://lab:5000", "http://lab:5000"] },
    { domain: "lab:5001", urls: ["https://lab:5001 verified"] },
    { domain: "plain.example:9", urls: ["https://plain.example:9", "http://plain.example:9"] },
    { domain: "localhost.example", urls: ["https://localhost.example verified"] },
    {
      domain: "docker.io",
      urls: [
        "https://mirror.example verified",
        "http://10.1.1.1:5000",
        "https://registry-1.docker.io verified",
      ],
    },
  ];
  for (const { domain, urls } of cases) {
    it(`reaches ${domain}`, () => {
      const shown = endpointsOf(domain, options).map(
        ({ baseUrl, insecure }) => baseUrl + (insecure ? "" : " verified"),
      );
      expect(shown).to.deep.equal(urls);
    });
  }

  it("refuses a mirror that is no URL", () => {
    expect(() => endpointsOf("docker.io", { ...options, mirrors: ["mirror"] })).to.throw(/mirror/);
  });
});
