import { expect } from "chai";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { OutputQueue, QUEUE_BYTES_MAX, STALL_MAX_MS } from "./output-queue.ts";
import { parsePacket } from "./packet.ts";

describe("container streams: packets of conmon", () => {
  const cases: { name: string; bytes: number[]; expected: string | undefined }[] = [
    { name: "standard output", bytes: [2, 104, 105], expected: "false hi" },
    { name: "standard error", bytes: [3, 104, 105], expected: "true hi" },
    { name: "another pipe", bytes: [1, 104], expected: undefined },
    { name: "no bytes", bytes: [2], expected: undefined },
    { name: "nothing", bytes: [], expected: undefined },
  ];
  for (const { name, bytes, expected } of cases)
    it(name, () => {
      const chunk = parsePacket(Uint8Array.from(bytes));
      const text = chunk && `${chunk.stderr} ${Buffer.from(chunk.data).toString()}`;
      expect(text).to.equal(expected);
    });
});

describe("container streams: what waits for a client", () => {
  const half = { stderr: false, data: new Uint8Array(QUEUE_BYTES_MAX / 2) };
  function newQueue() {
    const clock = new FakeClock();
    const seen: string[] = [];
    const queue = new OutputQueue(clock, {
      room: () => seen.push("room"),
      stalled: () => seen.push("stalled"),
    });
    return { clock, seen, queue };
  }

  it("is full at its bound, and says when there is room again", async () => {
    const { seen, queue } = newQueue();
    queue.push(half);
    expect(queue.isFull).to.equal(false);
    queue.push(half);
    expect(queue.isFull).to.equal(true);
    await queue.take().next();
    expect([queue.isFull, seen]).to.deep.equal([false, ["room"]]);
  });

  it("is given to its end", async () => {
    const { queue } = newQueue();
    const output = queue.take();
    const first = output.next();
    queue.push(half);
    queue.end();
    queue.push(half);
    expect((await first).value).to.equal(half);
    expect((await output.next()).done).to.equal(true);
  });

  it("is dropped, and the client cut off, when he takes nothing for too long", async () => {
    const { clock, seen, queue } = newQueue();
    const output = queue.take();
    for (let count = 0; count < 3; count++) queue.push(half);
    await clock.advance(STALL_MAX_MS - 1);
    await output.next();
    await clock.advance(STALL_MAX_MS - 1);
    expect(seen).to.deep.equal([]);
    await clock.advance(1);
    expect(seen).to.deep.equal(["stalled"]);
    const error = await output.next().then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.contain("cut off");
  });
});
