import { ClusterError } from "../../core/errors.ts";

/** The ClusterError `work` fails with; anything else it does is the test's failure. */
export async function failureOf(work: Promise<unknown>): Promise<ClusterError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
