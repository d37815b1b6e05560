import fc from "fast-check";
import { ClusterError } from "../../core/errors.ts";
import { parseIgnoreFile } from "../../core/ignore-file.ts";
import { checksum } from "../../core/tar/tar-header.ts";
import { type TarEntry, TarReader, type TarSink } from "../../core/tar/tar-reader.ts";
import { entryParts, readArchivePath } from "../../runtime/archive/archive-path.ts";
import { expandStep } from "../../runtime/build/dockerfile/expand-step.ts";
import { parseDockerfile } from "../../runtime/build/dockerfile/parse.ts";
import { LayerPlanner } from "../../runtime/image/layer/layer-plan.ts";
import { formatReference, parseReference } from "../../runtime/image/reference.ts";
import { packTar } from "../support/tar-writer.ts";
import { DOCKERFILES, IGNORE_FILES, REFERENCES, TARS } from "./corpus.ts";
import { mutated, mutatedText } from "./mutate.ts";

const BLOCK = 512;

/** What takes input from outside, fuzzed: each throws nothing but ClusterError, ends, and keeps its promise about what it accepts. */
export const FUZZ_TARGETS = {
  /** The reader of archives, fed in pieces: entries are well formed, content is as long as announced. */
  tar: () =>
    fc.property(
      mutated(TARS.map(packTar)).map(withChecksums),
      fc.integer({ min: 1, max: 2000 }),
      (archive, pieceBytes) => {
        const sink = new CheckedSink();
        expected(() => {
          const reader = new TarReader(sink);
          for (let at = 0; at < archive.length; at += pieceBytes)
            reader.push(archive.subarray(at, at + pieceBytes));
          reader.finish();
        });
        return sink.fault === undefined ? true : fail(sink.fault);
      },
    ),
  /** What a layer's entries become: no step leaves the layer. */
  layer: () =>
    fc.property(mutated(TARS.map(packTar)).map(withChecksums), (archive) => {
      const planner = new LayerPlanner();
      const paths: string[] = [];
      const sink = {
        onEntry: (entry: TarEntry) => {
          for (const step of planner.plan(entry)) paths.push(step.path);
        },
        onContent() {},
        onEntryEnd() {},
      };
      expected(() => new TarReader(sink).push(archive));
      return paths.every(isInside);
    }),
  /** Paths that `cp` is asked for, and names in what it is sent. */
  path: () =>
    fc.property(mutatedText(["/etc/passwd", "a/./b/../c/", "../..//x/.", "/"]), (text) => {
      expected(() => {
        const { path } = readArchivePath(text);
        if (!path.startsWith("/") || path.split("/").includes("..")) fail(path);
      });
      return entryParts(text)?.every((part) => !["", ".", ".."].includes(part)) ?? true;
    }),
  /** References of images: what is accepted reads back as itself. */
  reference: () =>
    fc.property(mutatedText(REFERENCES), (text) => {
      expected(() => {
        const whole = formatReference(parseReference(text));
        if (formatReference(parseReference(whole)) !== whole) fail(`${text} becomes ${whole}`);
      });
    }),
  /** Dockerfiles, with their variables filled in. */
  dockerfile: () =>
    fc.property(mutatedText(DOCKERFILES), (text) => {
      expected(() => {
        const { stages, escapeSign } = parseDockerfile(text);
        const lookup = (name: string) => (name.length % 2 === 0 ? undefined : `value of ${name}`);
        for (const { steps } of stages)
          for (const { step } of steps) expected(() => expandStep(step, lookup, escapeSign));
      });
    }),
  /** `.dockerignore`, and names that it is asked about. */
  ignore: () =>
    fc.property(mutatedText(IGNORE_FILES), mutatedText(["a/b/c.go", ".git/x"]), (text, name) => {
      expected(() => parseIgnoreFile(text).ignores(name));
    }),
} as const satisfies Readonly<Record<string, () => fc.IRawProperty<unknown>>>;

export type FuzzTarget = keyof typeof FUZZ_TARGETS;

/** Runs a target over inputs that follow from the seed. */
export function fuzz(name: FuzzTarget, seed: number, numRuns: number): fc.RunDetails<unknown> {
  const property = FUZZ_TARGETS[name]() as fc.IRawProperty<unknown, false>;
  return fc.check(property, { seed, numRuns }) as fc.RunDetails<unknown>;
}

/** A refusal in our words is an answer; anything else thrown is a fault. */
function expected(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
  }
}

function fail(what: string): never {
  throw new Error(what);
}

function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").includes("..");
}

/** Headers whose sum is wrong are refused at once; so the sums are made right, that what they say is read. */
function withChecksums(archive: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= archive.length; at += BLOCK) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.toString("latin1", 257, 262) !== "ustar") continue;
    block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return archive;
}

/** Whether the reader keeps its order: entry, content, end. */
class CheckedSink implements TarSink {
  fault: string | undefined;
  #remaining: number | undefined;

  onEntry(entry: TarEntry): void {
    if (this.#remaining !== undefined) this.fault = "an entry inside another";
    const { sizeBytes, uid, gid, mode } = entry;
    const isWhole = [sizeBytes, uid, gid, mode].every((number) => Number.isSafeInteger(number));
    if (!isWhole || sizeBytes < 0) this.fault = `odd numbers: ${JSON.stringify(entry)}`;
    this.#remaining = sizeBytes;
  }

  onContent(bytes: Uint8Array): void {
    this.#remaining = (this.#remaining ?? -1) - bytes.length;
    if (this.#remaining < 0) this.fault = "more content than announced";
  }

  onEntryEnd(): void {
    if (this.#remaining !== 0) this.fault = `${this.#remaining} bytes are missing`;
    this.#remaining = undefined;
  }
}
