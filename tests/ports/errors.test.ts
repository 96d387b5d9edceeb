import { expect, test } from 'vitest';
import { TerminalError } from '../../ports/errors.ts';

test('an error is one line, and a list in it ends with its last line', () => {
  const facts = { expected: 'a date', remedy: 'Correct it.', place: 'x' };
  expect(new TerminalError({ ...facts, found: '31' }).message).toBe(
    'x: expected a date; found 31. Correct it.',
  );
  expect(new TerminalError({ ...facts, found: 'two:\n  - a\n  - b\n' }).message).toBe(
    'x: expected a date; found two:\n  - a\n  - b\nCorrect it.',
  );
});
