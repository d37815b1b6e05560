/** The kernel's limit: IFNAMSIZ without the terminating zero. */
export const LINK_NAME_CHARS_MAX = 15;

/** 02:42 and the address, as Docker does: every node can say it without asking. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `02:42:${bytes.join(":")}`;
}

/** Names a thing of any length in a link's name: 64-bit FNV-1a in base 36, at most 13 characters. */
export function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(36);
}
