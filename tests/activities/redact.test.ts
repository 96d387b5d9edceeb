import { expect, test } from 'vitest';
import { redact } from '../../activities/redact.ts';

test.each([
  ['postgres://ingot:hunter2@db:5432/lake', 'postgres://***@db:5432/lake'],
  ['postgres://ingot:p@ss:word@db/lake failed', 'postgres://***@db/lake failed'],
  ['two: mysql://a:b@c/d and s3+http://e:f@g', 'two: mysql://***@c/d and s3+http://***@g'],
  ['host=db password=sesame user=ingot', 'host=db password=*** user=ingot'],
  ['{"password": "sesame", "token":"t"}', '{"password": "***", "token":"***"}'],
  ['https://hooks.example/x?api_key=abc&b=1', 'https://hooks.example/x?api_key=***&b=1'],
])('%s loses its secrets', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.each([
  'https://example.com/a@b',
  'postgres://db:5432/lake',
  'user@example.com',
  'a token was expected',
  '3 passwords',
])('%s stays as it is', (text) => {
  expect(redact(text)).toBe(text);
});
