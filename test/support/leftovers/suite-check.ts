import { eventually } from "../eventually.ts";
import { findMade } from "./find-made.ts";
import { made } from "./made.ts";

const CLEAN_MS = 20_000;
const LOOK_MS = 100;

/** After the last test of a run nothing that its tests have made is left on the machine. Mocha finds it by its name. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(2 * CLEAN_MS);
    let left: string[] = [];
    const isClean = async () => {
      left = await findMade(made);
      return left.length === 0;
    };
    try {
      await eventually("nothing is left on the machine", isClean, CLEAN_MS, LOOK_MS);
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${left.join("\n")}`);
    }
  },
};
