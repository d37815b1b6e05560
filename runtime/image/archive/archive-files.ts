import { ClusterError } from "../../../core/errors.ts";
import { type TarEntry, TarReader, type TarSink } from "../../../core/tar/tar-reader.ts";
import type { BlobWriter, ContentStore } from "../store/content-store.ts";
import type { Digest } from "../types.ts";

/** A file of an archive, now a blob of the store. */
export interface ArchiveFile {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** As the kernel does. */
const LINKS_FOLLOWED_MAX = 40;

/**
 * Puts every file of an archive into the store and remembers its name.
 *
 * Names never become paths on this machine, so an archive cannot reach anywhere with them.
 */
export class ArchiveFiles implements TarSink {
  readonly #content: ContentStore;
  readonly #files = new Map<string, ArchiveFile>();
  readonly #links = new Map<string, string>();
  /** What the reader has said and is not yet carried out: it speaks synchronously, the disk does not. */
  #pending: (() => Promise<void>)[] = [];
  #writer: BlobWriter | undefined;
  #entry: TarEntry | undefined;

  private constructor(content: ContentStore) {
    this.#content = content;
  }

  /** @throws {ClusterError} InvalidArgument (malformed), DataLoss (truncated), ResourceExhausted. */
  static async read(
    archive: AsyncIterable<Uint8Array>,
    content: ContentStore,
  ): Promise<ArchiveFiles> {
    const files = new ArchiveFiles(content);
    const reader = new TarReader(files);
    try {
      for await (const chunk of archive) {
        reader.push(chunk);
        await files.#carryOut();
      }
      reader.finish();
      return files;
    } finally {
      await files.#writer?.close();
    }
  }

  /** The file of that name, links followed; undefined when the archive has none. */
  find(name: string): ArchiveFile | undefined {
    let path = normalise(name);
    for (let followed = 0; followed < LINKS_FOLLOWED_MAX; followed++) {
      const target = this.#links.get(path);
      if (target === undefined) return this.#files.get(path);
      path = target;
    }
    return undefined;
  }

  /** @throws {ClusterError} InvalidArgument when the archive has none. */
  get(name: string): ArchiveFile {
    const file = this.find(name);
    if (file !== undefined) return file;
    throw new ClusterError("InvalidArgument", `image archive has no ${JSON.stringify(name)}`);
  }

  onEntry(entry: TarEntry): void {
    const name = normalise(entry.name);
    if (entry.type === "symlink") this.#links.set(name, normalise(`${name}/../${entry.linkName}`));
    if (entry.type === "hardLink") this.#links.set(name, normalise(entry.linkName));
    this.#entry = entry.type === "file" ? entry : undefined;
    if (this.#entry === undefined) return;
    this.#links.delete(name);
    this.#pending.push(async () => {
      this.#writer = await this.#content.startBlob();
    });
  }

  onContent(bytes: Uint8Array): void {
    this.#pending.push(async () => this.#writer?.write(bytes));
  }

  onEntryEnd(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#pending.push(async () => {
      if (this.#writer === undefined) return;
      const digest = await this.#writer.commit();
      await this.#writer.close();
      this.#writer = undefined;
      this.#files.set(normalise(entry.name), { digest, sizeBytes: entry.sizeBytes });
    });
  }

  async #carryOut(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const step of pending) await step();
  }
}

/** `a/b` of `./a//x/../b`; only a key of a map. */
function normalise(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
