import { type IncomingHttpHeaders, request } from "node:http";

/** An HTTP answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends one request over a Unix socket, exactly as given, on a connection of its own. */
export function ask(
  socketPath: string,
  operation: string,
  { headers = {}, body = "" }: RawRequest = {},
): Promise<RawAnswer> {
  const [method = "", path = ""] = operation.split(" ");
  const isSized = body.length > 0 && !("Transfer-Encoding" in headers);
  const length = isSized ? { "Content-Length": Buffer.byteLength(body) } : {};
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, headers: { ...length, ...headers }, agent: false };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, headers: received, body: Buffer.concat(chunks) });
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** The same with a JSON body, if any, and the answer's JSON. */
export async function askJson(
  socketPath: string,
  operation: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: unknown }> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await ask(socketPath, operation, { headers: { ...type, ...headers }, body: text });
  const answered = answer.body.toString("utf8");
  return { status: answer.status, json: answered === "" ? undefined : JSON.parse(answered) };
}
