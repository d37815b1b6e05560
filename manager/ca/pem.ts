/** Certificates read from one text; more is no chain of ours. */
export const PEM_CERTIFICATES_MAX = 8;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;

/** The certificates in a text, in its order, each as a text of its own that ends with a line break; what stands between them is dropped. */
export function splitPem(text: string): string[] {
  const found = text.match(CERTIFICATE) ?? [];
  return found.slice(0, PEM_CERTIFICATES_MAX).map((one) => `${one}\n`);
}
