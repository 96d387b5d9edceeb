/** An error as the SDK throws it for a service's answer. */
export function failed(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('so it says'), { name, $metadata: { httpStatusCode } });
}
