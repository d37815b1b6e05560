import { compileTemplate } from "../template/template.ts";
import { formatTable } from "./table.ts";

/** A row of a list as templates see it: every value a string, as the docker CLI gives them. */
export type Row = Readonly<Record<string, string>>;

/** A row whose single labels templates can ask for. */
export function withLabels(row: Row, labels: Readonly<Record<string, string>> | null): Row {
  const Label = (name: unknown) => labels?.[String(name)] ?? "";
  return Object.defineProperty({ ...row }, "Label", { value: Label });
}

/** `a=b,c=d`. */
export function labelText(labels: Readonly<Record<string, string>> | null): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

export interface ListView {
  /** Columns of the default table: header and the row's field. */
  readonly columns: readonly { readonly header: string; readonly field: string }[];
  readonly rows: readonly Row[];
}

export interface ListOptions {
  /** `table`, `json`, `table TEMPLATE` or `TEMPLATE`; undefined: table. */
  readonly format?: string | undefined;
  /** Only the field named by `quietField`. */
  readonly quiet?: boolean | undefined;
}

/**
 * Formats a list by Docker's rules of `--format` and `--quiet`.
 *
 * @throws {ClusterError} `InvalidArgument` for a bad template.
 */
export function formatList(view: ListView, options: ListOptions, quietField = "ID"): string {
  const { format = "table", quiet = false } = options;
  if (quiet) return lines(view.rows.map((row) => row[quietField] ?? ""));
  if (format === "json") return lines(view.rows.map(jsonText));
  if (format === "table") {
    const header = view.columns.map((column) => column.header);
    return formatTable([
      header,
      ...view.rows.map((row) => view.columns.map(({ field }) => row[field] ?? "")),
    ]);
  }
  if (format.startsWith("table "))
    return formatTemplateTable(view, expandEscapes(format.slice("table ".length)));
  const template = compileTemplate(expandEscapes(format), { missing: "is an error" });
  return lines(view.rows.map((row) => template(inOrder(row))));
}

/** The header row is the template applied to the columns' headers, as in Docker; of other fields to their names. */
function formatTemplateTable(view: ListView, text: string): string {
  const others = Object.keys(view.rows[0] ?? {}).map((field) => [field, headerOf(field)]);
  const known = view.columns.map(({ header, field }) => [field, header]);
  const headers: Record<string, unknown> = Object.fromEntries([...others, ...known]);
  headers.Label = (name: unknown) => String(name);
  const header = compileTemplate(text)(headers);
  const template = compileTemplate(text, { missing: "is an error" });
  const lines = [header, ...view.rows.map((row) => template(inOrder(row)))];
  return formatTable(lines.map((line) => line.split("\t")));
}

/** `CREATED AT` of `CreatedAt`. */
function headerOf(field: string): string {
  return field.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase();
}

/** By the names of its fields; what is hidden stays so. */
function inOrder(row: Row): Row {
  const fields = Object.entries(Object.getOwnPropertyDescriptors(row));
  return Object.defineProperties(
    {},
    Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
}

/** As Go writes it: names in their order, and nothing a browser would take for a mark. */
function jsonText(row: Row): string {
  return JSON.stringify(inOrder(row)).replaceAll(
    /[<>&]/g,
    (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`,
  );
}

/** Shells hand `\t` and `\n` over as two characters. */
function expandEscapes(format: string): string {
  return format.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
