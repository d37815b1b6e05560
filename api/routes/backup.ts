import type { BackupBackend } from "../backend.ts";
import type { Exchange } from "../http/exchange.ts";
import { JsonReader } from "../http/json-reader.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { untilDrained } from "../http/send-list.ts";

/** In base64url: it may hold anything. A header, because the body is the file. */
const PASSPHRASE_HEADER = "X-Muster-Passphrase";

/** `/muster/…`: the swarm's state in one file. Not Docker's; docs/docker-compatibility.md says so. */
export function backupRoutes(backups: BackupBackend): Route[] {
  return [
    {
      method: "POST",
      path: "/muster/backup",
      handler: async (exchange) => {
        const passphrase = new JsonReader(await exchange.json(), "Backup").string("Passphrase");
        return send(exchange, backups.backup(passphrase));
      },
    },
    {
      method: "POST",
      path: "/muster/restore",
      handler: async (exchange) => {
        const { query } = exchange;
        const passphrase = Buffer.from(exchange.header(PASSPHRASE_HEADER), "base64url").toString();
        const [listenAddr, advertiseAddr] = ["listenAddr", "advertiseAddr"].map(
          (name) => query.get(name) ?? "",
        ) as [string, string];
        const options = { file: exchange.bodyBytes(), passphrase, listenAddr, advertiseAddr };
        return ok(await backups.restore(options));
      },
    },
  ];
}

/** A client that reads slowly holds the source back; one cut off in the middle sees that from the missing end. */
async function send(exchange: Exchange, bytes: AsyncIterable<Uint8Array>): Promise<Answer> {
  const { response, signal } = exchange;
  for await (const chunk of bytes) {
    if (signal.aborted) return undefined;
    if (!response.headersSent) {
      response.writeHead(200, { "Content-Type": "application/octet-stream" });
    }
    if (!response.write(chunk)) await untilDrained(exchange);
  }
  response.end();
  return undefined;
}
