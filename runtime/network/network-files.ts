import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../image/store/durable-file.ts";
import { makeFolder } from "../linux/make-folder.ts";
import type { LocalNetwork } from "./types.ts";

const SUFFIX = ".json";

/** Local networks on disk, below the data root: a file each, whole or not there. */
export class NetworkFiles {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<NetworkFiles> {
    await makeFolder(directory, 0o700);
    return new NetworkFiles(directory);
  }

  async load(): Promise<LocalNetwork[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX));
    return Promise.all(
      names.map(
        async (name) =>
          JSON.parse(await readFile(join(this.#directory, name), "utf8")) as LocalNetwork,
      ),
    );
  }

  async put(network: LocalNetwork): Promise<void> {
    await replaceFile(this.#path(network.id), JSON.stringify(network));
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.#directory, id + SUFFIX);
  }
}
