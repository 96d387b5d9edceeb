import { expect, test } from 'vitest';
import { isPermitted } from '../../../engines/aws/probe.ts';

function failing(name: string, httpStatusCode?: number) {
  return () => Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode } }));
}

test.each([
  ['AccessDeniedException', 400],
  ['AccessDenied', 403],
  ['403', 403],
  ['AuthorizationError', 403],
])('%s with status %i is a refusal', async (name, status) => {
  expect(await isPermitted(failing(name, status))).toBe(false);
});

test.each([
  ['EntityNotFoundException', 400],
  ['NotFound', 404],
  ['NoSuchUpload', 404],
  ['InvalidRequestException', 400],
])('%s with status %i shows that the call was permitted', async (name, status) => {
  expect(await isPermitted(failing(name, status))).toBe(true);
});

test.each([
  ['ThrottlingException', 400],
  ['TooManyRequestsException', 429],
  ['InternalServiceException', 500],
  ['TypeError', undefined],
])('%s with status %s shows nothing', async (name, status) => {
  await expect(isPermitted(failing(name, status))).rejects.toThrow(name);
});

test('an answer shows that the call was permitted', async () => {
  expect(await isPermitted(() => Promise.resolve({}))).toBe(true);
});
