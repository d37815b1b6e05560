import type { SlotKey } from "../store/task-table.ts";
import { isRunning, type Slot } from "./slot.ts";

/**
 * Which slots a replicated service gives up to come down to `replicas`: those that do not run first, then such that
 * the nodes keep equally many, the highest slot numbers first.
 */
export function surplusSlots(slots: readonly Slot[], replicas: number): Slot[] {
  if (slots.length <= replicas) return [];
  const bySlot = [...slots].sort((a, b) => Number(a.key) - Number(b.key));
  const seenOnNode = new Map<string, number>();
  const ranked = bySlot.map((slot) => {
    const running = isRunning(slot);
    // A running slot's place among those of its node: to keep the lowest places of all nodes is to take from the fullest.
    const place = running ? (seenOnNode.get(slot.current.nodeId) ?? 0) : 0;
    if (running) seenOnNode.set(slot.current.nodeId, place + 1);
    return { slot, running, place };
  });
  ranked.sort((a, b) => Number(b.running) - Number(a.running) || a.place - b.place);
  return ranked.slice(replicas).map(({ slot }) => slot);
}

/** The `count` lowest slot numbers that are not taken, from 1. */
export function freeSlots(taken: ReadonlySet<SlotKey>, count: number): number[] {
  const free: number[] = [];
  for (let number = 1; free.length < count; number++) {
    if (!taken.has(number)) free.push(number);
  }
  return free;
}
