/** JSON text that Postgres can store: its text holds neither U+0000 nor half a surrogate pair; both become U+FFFD. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'string' ? item.replaceAll('\0', '\uFFFD').toWellFormed() : item,
  );
}
