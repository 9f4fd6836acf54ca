/** RFC 4180: a line of names, CRLF, quotes where they are needed; null is an empty field, an empty text is `""`. */
export function csvText(head: readonly string[], rows: Iterable<readonly (string | null)[]>): string {
  const lines = [lineOf(head)];
  for (const row of rows) lines.push(lineOf(row));
  return lines.join('');
}

/**
 * What others wrote, as a spreadsheet will show it: a cell that begins like a formula would be run as one.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function spreadsheetText(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}

function lineOf(fields: readonly (string | null)[]): string {
  return `${fields.map(fieldOf).join(',')}\r\n`;
}

function fieldOf(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
