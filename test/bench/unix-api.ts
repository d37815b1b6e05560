import { request } from "node:http";

/** Docker's API on a Unix socket, without a version in the path: the same client for Muster and for Docker. */
export async function callApi<T>(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise<T>((resolve, reject) => {
    const headers =
      text === undefined
        ? {}
        : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
    const sent = request({ socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const answer = Buffer.concat(chunks).toString("utf8");
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer}`));
        else resolve((answer === "" ? undefined : JSON.parse(answer)) as T);
      });
    });
    sent.once("error", reject);
    sent.end(text);
  });
}
