import { expect, test } from 'vitest';
import { awsCredentials, type AwsCredentials, remembered } from '../../../engines/aws/credentials.ts';
import { TerminalError } from '../../../ports/errors.ts';

const minute = 60_000;

/** A source whose sessions last an hour, and a clock moved by hand. */
function hourly() {
  const state = { now: 0, asked: 0, failing: false };
  const source = async (): Promise<AwsCredentials> => {
    state.asked += 1;
    if (state.failing) throw Object.assign(new Error('nothing there'), { name: 'CredentialsProviderError' });
    return {
      accessKeyId: `key ${state.asked}`,
      secretAccessKey: 'secret',
      expiration: new Date(state.now + 60 * minute),
    };
  };
  return { state, credentials: remembered(source, () => state.now) };
}

test('a source is asked once by many, and again well before the session ends', async () => {
  const { state, credentials } = hourly();
  const first = await Promise.all([credentials(), credentials(), credentials()]);
  expect(first.map(({ accessKeyId }) => accessKeyId)).toEqual(['key 1', 'key 1', 'key 1']);
  state.now = 44 * minute;
  expect((await credentials()).accessKeyId).toBe('key 1');
  state.now = 46 * minute;
  expect((await credentials()).accessKeyId).toBe('key 2');
  expect(state.asked).toBe(2);
});

test('keys without an end are asked for once', async () => {
  let asked = 0;
  const credentials = remembered(async () => {
    asked += 1;
    return { accessKeyId: 'a', secretAccessKey: 'b' };
  });
  await credentials();
  await credentials();
  expect(asked).toBe(1);
});

test('a source that fails is no harm while the session lasts, and is not asked at every call', async () => {
  const { state, credentials } = hourly();
  await credentials();
  state.failing = true;
  state.now = 50 * minute;
  expect((await credentials()).accessKeyId).toBe('key 1');
  expect((await credentials()).accessKeyId).toBe('key 1');
  expect(state.asked).toBe(2);
  state.now = 61 * minute;
  await expect(credentials()).rejects.toThrow(TerminalError);
  await expect(credentials()).rejects.toThrow(/Give credentials by AWS_PROFILE/);
  state.failing = false;
  expect((await credentials()).accessKeyId).toBe('key 5');
});

test('the standard chain begins with the environment', async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'from the environment';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  process.env['AWS_SESSION_TOKEN'] = 'token';
  expect(await awsCredentials({ region: 'eu-central-1' })()).toMatchObject({
    accessKeyId: 'from the environment',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  });
});

test('a profile that is not there is said in words', async () => {
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
  await expect(awsCredentials({ profile: 'no-such-profile' })()).rejects.toThrow(
    /AWS credentials.*Give credentials by AWS_PROFILE/,
  );
});
