import { expect } from "chai";
import { SingleFlight } from "./single-flight.ts";

/** A promise somebody else ends. */
function pending<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  return { promise, resolve, reject };
}

const failed = (error: unknown): unknown => error;

describe("single flight", () => {
  it("does once what several want, and again afterwards", async () => {
    const flight = new SingleFlight<number>();
    const work = pending<number>();
    let begun = 0;
    const start = (): Promise<number> => {
      begun++;
      return work.promise;
    };
    const both = Promise.all([flight.run("k", start), flight.run("k", start)]);
    work.resolve(7);
    expect(await both).to.deep.equal([7, 7]);
    expect(begun).to.equal(1);
    await flight.run("k", start);
    expect(begun).to.equal(2);
  });
  it("goes on for others when one gives up, and is given up with the last", async () => {
    const flight = new SingleFlight<number>();
    const aborts = [new AbortController(), new AbortController()];
    let given: AbortSignal | undefined;
    const start = (signal: AbortSignal): Promise<number> => {
      given = signal;
      return pending<number>().promise;
    };
    const runs = aborts.map(({ signal }) => flight.run("k", start, signal).catch(failed));
    aborts[0]?.abort();
    expect(await runs[0]).to.include({ code: "Cancelled" });
    expect(given?.aborted).to.equal(false);
    aborts[1]?.abort();
    expect(await runs[1]).to.include({ code: "Cancelled" });
    expect(given?.aborted).to.equal(true);
  });
  it("tells everybody of a failure", async () => {
    const flight = new SingleFlight<number>();
    const work = pending<number>();
    const runs = [1, 2].map(() => flight.run("k", () => work.promise).catch(failed));
    work.reject("no");
    expect(await Promise.all(runs)).to.deep.equal(["no", "no"]);
  });
});
