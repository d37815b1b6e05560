import { networkInterfaces } from "node:os";
import type { OwnAddress } from "./node/addresses.ts";

/** The addresses this machine has now. */
export function ownAddresses(): OwnAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
    addresses.map(({ address }) => ({ interfaceName, address })),
  );
}
