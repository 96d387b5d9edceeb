export function noop(): Promise<number> {
  return Promise.resolve(1);
}
