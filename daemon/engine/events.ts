import type { EventBackend } from "../../api/backends/events.ts";
import type { EventJournal } from "../../runtime/events/event-journal.ts";

/** The journal of this machine as the API needs it. */
export function newEvents(journal: EventJournal): EventBackend {
  return {
    events: (query) => journal.follow(query),
    pruned: (type, reclaimedBytes) =>
      journal.publish({
        ...{ type, action: "prune", actorId: "" },
        attributes: { reclaimed: String(reclaimedBytes) },
      }),
  };
}
