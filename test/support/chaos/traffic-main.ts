/**
 * Run as a process inside a host's namespace: `node --import tsx traffic-main.ts URL…`. Sends GET requests to the URLs in
 * turn, each on a connection of its own, until SIGTERM; then prints one JSON line of type TrafficResult.
 */
import { request } from "node:http";

export interface TrafficResult {
  readonly answered: number;
  readonly failed: number;
}

const TIMEOUT_MS = 1_000;
const PAUSE_MS = 20;

function get(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
      response.once("error", () => resolve(false));
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(false));
    sent.once("close", () => resolve(false));
    sent.end();
  });
}

const urls = process.argv.slice(2);
let stopped = false;
process.once("SIGTERM", () => {
  stopped = true;
});
let answered = 0;
let failed = 0;
while (!stopped) {
  const url = urls[(answered + failed) % urls.length];
  if (url === undefined) break;
  if (await get(url)) answered++;
  else failed++;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
process.stdout.write(`${JSON.stringify({ answered, failed } satisfies TrafficResult)}\n`);
