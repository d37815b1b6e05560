import { expect } from "chai";
import { ClusterError, errorCode } from "../../core/errors.ts";
import type { Image, PullOptions } from "../../runtime/image/types.ts";
import { SharedPulls } from "./shared-pulls.ts";

/** A registry that answers when told to. */
class SlowImages {
  readonly asked: { name: string; options: PullOptions | undefined }[] = [];
  readonly here = new Set<string>();
  answer: (error?: Error) => void = () => undefined;

  get(name: string): Image {
    if (!this.here.has(name)) throw new ClusterError("NotFound", "no such image");
    return { repoTags: [name] } as unknown as Image;
  }

  pull(name: string, options?: PullOptions): Promise<Image> {
    this.asked.push({ name, options });
    return new Promise((resolve, reject) => {
      this.answer = (error) => {
        if (error !== undefined) return reject(error);
        this.here.add(name);
        resolve(this.get(name));
      };
    });
  }
}

describe("worker: shared pulls", () => {
  const never = new AbortController().signal;

  it("asks once for all who wait", async () => {
    const images = new SlowImages();
    const pulls = new SharedPulls(images);
    const all = [1, 2, 3].map(() => pulls.need("nginx", "", never));
    await Promise.resolve();
    images.answer();
    await Promise.all(all);
    expect(images.asked).to.have.length(1);
  });

  it("does not ask for what is here", async () => {
    const images = new SlowImages();
    images.here.add("nginx");
    await new SharedPulls(images).need("nginx", "", never);
    expect(images.asked).to.deep.equal([]);
  });

  it("gives each who waits the registry's own error, and asks anew next time", async () => {
    const images = new SlowImages();
    const pulls = new SharedPulls(images);
    const failed = pulls.need("nginx", "", never).catch(errorCode);
    await Promise.resolve();
    images.answer(new ClusterError("Unavailable", "registry is away"));
    expect(await failed).to.equal("Unavailable");
    const again = pulls.need("nginx", "", never);
    await Promise.resolve();
    images.answer();
    await again;
    expect(images.asked).to.have.length(2);
  });

  it("lets one leave without the others, and ends with the last", async () => {
    const images = new SlowImages();
    const pulls = new SharedPulls(images);
    const [first, second] = [new AbortController(), new AbortController()];
    const left = pulls.need("nginx", "", first.signal).catch(errorCode);
    const stayed = pulls.need("nginx", "", second.signal).catch(errorCode);
    await Promise.resolve();
    first.abort();
    expect(await left).to.equal("Cancelled");
    expect(images.asked[0]?.options?.signal?.aborted).to.equal(false);
    second.abort();
    expect(await stayed).to.equal("Cancelled");
    expect(images.asked[0]?.options?.signal?.aborted).to.equal(true);
  });

  it("does not share between different logins", async () => {
    const images = new SlowImages();
    const pulls = new SharedPulls(images);
    const auth = Buffer.from(JSON.stringify({ username: "u" })).toString("base64url");
    void pulls.need("nginx", "", never);
    void pulls.need("nginx", auth, never);
    await Promise.resolve();
    expect(images.asked.map((one) => one.options?.credentials?.username)).to.deep.equal([
      undefined,
      "u",
    ]);
  });
});
