import { ClusterError } from "../../core/errors.ts";

/** Fields of one line, some in quotes: `a,"b,c","d""e"`. @throws {ClusterError} `InvalidArgument`. Source: Go, encoding/csv. */
export function csvFields(text: string): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (match === null)
      throw new ClusterError("InvalidArgument", `invalid list '${text}': a quote is not closed`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return fields;
  }
}
