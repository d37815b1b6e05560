/**
 * Run as a process inside a host's namespace: `node --import tsx http-load.ts URL COUNT [CONCURRENCY]`. Sends that many
 * GET requests, each on a connection of its own, and prints one JSON line of type LoadResult.
 */
import { request } from "node:http";

export interface LoadResult {
  /** How often each answer came: the body, trimmed. */
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly elapsedMs: number;
}

const REQUEST_TIMEOUT_MS = 5000;

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, timeout: REQUEST_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const body = Buffer.concat(chunks).toString("utf8").trim();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.once("timeout", () => sent.destroy(new Error(`no answer in ${REQUEST_TIMEOUT_MS} ms`)));
    sent.once("error", reject);
    sent.end();
  });
}

async function main(url: string, count: number, concurrency: number): Promise<LoadResult> {
  const answers: Record<string, number> = {};
  const failures: string[] = [];
  const start = performance.now();
  let next = 0;
  const lane = async () => {
    while (next++ < count) {
      try {
        const body = await get(url);
        answers[body] = (answers[body] ?? 0) + 1;
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { answers, failures, elapsedMs: performance.now() - start };
}

const [url = "", count = "1", concurrency = "8"] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await main(url, Number(count), Number(concurrency)))}\n`);
