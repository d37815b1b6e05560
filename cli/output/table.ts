import stringWidth from "string-width";

const GAP = 3;
/** Of a column with its gap, in docker's lists. */
const WIDTH_MIN = 10;

/**
 * Lines up rows as docker does: columns as wide as their widest cell and the gap, and never narrower than the least width;
 * the last one is not padded. Source: docker/cli, formatter.go (text/tabwriter).
 */
export function formatTable(rows: readonly (readonly string[])[], widthMin = WIDTH_MIN): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? widthMin, stringWidth(cell) + GAP);
    });
  }
  return rows.map((row) => `${formatRow(row, widths)}\n`).join("");
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      if (column === row.length - 1) return cell;
      return cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell));
    })
    .join("");
}
