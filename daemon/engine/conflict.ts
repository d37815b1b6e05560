import { ClusterError } from "../../core/errors.ts";

/** Does `work`; what is in its way is a conflict (409) to Docker's clients, where the swarm's objects know only bad requests. */
export async function orConflict<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "FailedPrecondition") throw error;
    throw new ClusterError("Aborted", error.message, { details: error.details, cause: error });
  }
}
