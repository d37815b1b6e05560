import stringWidth from "string-width";

const GAP = 3;

/** Lines up rows as Docker does: columns as wide as their widest cell, three spaces between, the last one not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
    });
  }
  return rows.map((row) => `${formatRow(row, widths)}\n`).join("");
}

function formatRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      if (column === row.length - 1) return cell;
      return cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell) + GAP);
    })
    .join("")
    .trimEnd();
}
