const CONTEXT_TAG_0 = 0xa0;

/**
 * The DER of the subject name in a certificate given as DER: Docker shows it in base64, nodes report their issuer's.
 *
 * Source: RFC 5280 §4.1, TBSCertificate: [0] version, serial, signature, issuer, validity, subject.
 */
export function derSubject(der: Buffer): Buffer {
  const body = contentOf(der, contentOf(der, 0).start);
  const hasVersion = der[body.start] === CONTEXT_TAG_0;
  let at = body.start;
  for (let skipped = hasVersion ? 0 : 1; skipped < 5; skipped++) at = contentOf(der, at).end;
  return Buffer.from(der.subarray(at, contentOf(der, at).end));
}

/** Where the content of the DER element at `at` starts and ends. */
function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const lengthBytes = first - 0x80;
  const start = at + 2 + lengthBytes;
  return { start, end: start + der.readUIntBE(at + 2, lengthBytes) };
}
