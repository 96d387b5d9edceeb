import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkedOutput, maxOutputBytes } from '../../activities/output.ts';

test('whatever JSON can hold passes unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(checkedOutput(value, 'here')).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('a body that returns nothing has the output null', () => {
  expect(checkedOutput(undefined, 'here')).toBeNull();
});

test('dates become text and absent properties stay absent, as the types of an output have it', () => {
  const output = {
    at: new Date('2026-01-01T00:00:00Z'),
    note: undefined,
    nested: { at: new URL('http://a.example/') },
  };
  expect(checkedOutput(output, 'here')).toEqual({
    at: '2026-01-01T00:00:00.000Z',
    nested: { at: 'http://a.example/' },
  });
});

test('the same object twice is no circle', () => {
  const shared = { a: 1 };
  expect(checkedOutput({ x: shared, y: [shared] }, 'here')).toEqual({ x: { a: 1 }, y: [{ a: 1 }] });
});

test.each([
  [{ a: { b: [0, -0, Infinity] } }, 'output.a.b[2] is Infinity'],
  [{ a: Symbol('x') }, 'output.a is a symbol'],
  [new Set([1]), 'output is an instance of Set'],
  [{ buffer: new Uint8Array(2) }, 'output.buffer is an instance of Uint8Array'],
])('%o is refused with its place', (value, message) => {
  expect(() => checkedOutput(value, 'payments.silver, attempt 1')).toThrow(
    `payments.silver, attempt 1: expected an output of plain JSON; found ${message}`,
  );
});

test('the limit is counted in bytes of the text, and the message says what to do', () => {
  const fits = 'x'.repeat(maxOutputBytes - 2);
  expect(checkedOutput(fits, 'here')).toBe(fits);
  expect(() => checkedOutput(`${fits}x`, 'here')).toThrow(
    /at most 1536 KiB; found 1537 KiB\. Write the data to the object store/,
  );
  expect(() => checkedOutput('é'.repeat(maxOutputBytes / 2), 'here')).toThrow('at most 1536 KiB');
});
