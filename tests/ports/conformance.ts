import { test } from 'vitest';

/** Tests an adapter cannot pass, by name, and why. */
export interface Skip {
  readonly reason: string;
  readonly tests: readonly string[];
}

export type ConformanceTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** `test`, except for what the adapter declares it cannot do. */
export function testUnless(skip: readonly Skip[]): ConformanceTest {
  return (name, body, timeoutMs) => {
    const exception = skip.find((entry) => entry.tests.includes(name));
    if (exception === undefined) test(name, body, timeoutMs);
    else test.skip(`${name} (${exception.reason})`, body);
  };
}
