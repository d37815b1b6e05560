const BELL = 7;
/** Of the bell and those after it. */
const NAMES = "abtnvfr";
const CODE_POINT_MAX = 0x10ffff;

/** A number as Go prints it as a character: `'\x03'`, `'\n'`, `'A'`. Source: Go, strconv.QuoteRune. */
export function quotedRune(code: number): string {
  if (code > CODE_POINT_MAX || (code >= 0xd800 && code < 0xe000)) return "'\ufffd'";
  const name = NAMES[code - BELL];
  if (name !== undefined) return `'\\${name}'`;
  if (code === 0x27 || code === 0x5c) return `'\\${String.fromCharCode(code)}'`;
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  if (code < 0x20 || code === 0x7f) return `'\\x${hex(2)}'`;
  const text = String.fromCodePoint(code);
  if (code === 0x20 || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(text)) return `'${text}'`;
  return code < 0x10000 ? `'\\u${hex(4)}'` : `'\\U${hex(8)}'`;
}
