import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** A registry over an image store's blobs that sends half of its large blobs and the rest when told to. */
export interface GatedRegistry {
  /** `127.0.0.1:5000`. */
  readonly addr: string;
  /** Of large blobs, those begun and those whose client has gone. */
  readonly begun: number;
  readonly gone: number;
  /** Sends the rest of what was begun and all of what is asked for from now on. */
  open(): void;
  close(): Promise<void>;
}

const HALVED_BYTES_MIN = 100_000;

/** @param imageDir `image/` of a store with one image, which has any name here. */
export async function startGatedRegistry(imageDir: string): Promise<GatedRegistry> {
  const index = JSON.parse(readFileSync(join(imageDir, "index.json"), "utf8")) as {
    readonly manifests: readonly { readonly digest: string; readonly mediaType: string }[];
  };
  const [manifest] = index.manifests;
  if (manifest === undefined) throw new Error(`${imageDir} has no image`);
  const blob = (digest: string) =>
    readFileSync(join(imageDir, "blobs/sha256", digest.replace("sha256:", "")));
  let isOpen = false;
  let [begun, gone] = [0, 0];
  const held: (() => void)[] = [];
  const halve = (response: ServerResponse, bytes: Buffer): void => {
    begun++;
    response.on("close", () => {
      if (!response.writableFinished) gone++;
    });
    response.writeHead(200, { "Content-Length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
    const finish = () => void response.end(bytes.subarray(bytes.length / 2));
    if (isOpen) finish();
    else held.push(finish);
  };
  const server = createServer(({ url = "" }, response) => {
    const [, kind, reference = ""] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    if (kind === "manifests") {
      response.setHeader("Content-Type", manifest.mediaType);
      response.end(blob(manifest.digest));
    } else if (kind === "blobs") {
      const bytes = blob(reference);
      if (bytes.length < HALVED_BYTES_MIN) response.end(bytes);
      else halve(response, bytes);
    } else response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    addr: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get begun() {
      return begun;
    },
    get gone() {
      return gone;
    },
    open() {
      isOpen = true;
      for (const finish of held.splice(0)) finish();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
