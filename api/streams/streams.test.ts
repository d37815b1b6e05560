import { expect } from "chai";
import type { Hijacked } from "../http/hijack.ts";
import { frame } from "./frame.ts";
import { joinStreams } from "./join-streams.ts";
import { streamType } from "./stream-type.ts";

describe("streams: frames", () => {
  it("say whose the bytes are, and how many", () => {
    expect([...frame(2, Buffer.from("ab"))]).to.deep.equal([2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
  });
  it("have a content type of their own from 1.42 on", () => {
    const types = [
      streamType(false, { apiMinor: 41 }),
      streamType(false, { apiMinor: 42 }),
      streamType(true, { apiMinor: 51 }),
    ];
    expect(types.map((type) => type.slice("application/vnd.docker.".length))).to.deep.equal([
      "raw-stream",
      "multiplexed-stream",
      "raw-stream",
    ]);
  });
});

describe("streams: a client and a process", () => {
  async function join(typed: string): Promise<string[]> {
    const seen: string[] = [];
    const never = new Promise<never>(() => {});
    const client: Hijacked = {
      async *input() {
        yield Buffer.from(typed);
      },
      write: async () => {},
      untilGone: async () => "left",
      end: () => seen.push("end"),
      destroy: () => seen.push("destroy"),
    };
    const streams = {
      // biome-ignore lint/correctness/useYield: a process that writes nothing and runs on.
      output: (async function* () {
        await never;
      })(),
      write: async (data: Uint8Array) => void seen.push(`typed ${Buffer.from(data).toString()}`),
      closeInput: () => seen.push("no more input"),
      close: () => seen.push("close"),
      detach: () => seen.push("detach"),
    };
    await joinStreams(client, streams, {
      stdin: true,
      stdout: true,
      stderr: true,
      framed: false,
      detachKeys: Buffer.from("ab"),
      endsWithInput: true,
    });
    return seen;
  }

  it("who types the keys detaches", async () =>
    expect(await join("xab")).to.deep.equal(["typed x", "detach", "end"]));
  it("who only goes does not", async () =>
    expect(await join("x")).to.deep.equal(["typed x", "no more input", "close", "end"]));
});
