import { beforeEach, expect, test, vi } from 'vitest';
import { rdsPassword } from '../../../engines/rds/sign-in.ts';
import { TerminalError } from '../../../ports/errors.ts';
import { accessOf } from '../../../workers/database-access.ts';

const host = 'shop.abc123.eu-west-1.rds.amazonaws.com';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  return () => vi.unstubAllEnvs();
});

test('a password is a presigned URL of the database, user and region', async () => {
  const token = await rdsPassword({ host, port: 5433, user: 'ann@x', fallbackRegion: null })();
  expect(token.startsWith(`${host}:5433/?`)).toBe(true);
  const { searchParams } = new URL(`https://${token}`);
  expect(Object.fromEntries(searchParams)).toMatchObject({
    Action: 'connect',
    DBUser: 'ann@x',
    'X-Amz-Expires': '900',
  });
  expect(searchParams.get('X-Amz-Credential')).toMatch(
    /^AKIDEXAMPLE\/\d{8}\/eu-west-1\/rds-db\/aws4_request$/,
  );
  expect(searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  expect(token).not.toContain('hunter2');
});

test('a host that does not tell its region is taken to be in that of the environment, or the one given', async () => {
  const inRegion = async (fallbackRegion: string | null): Promise<string | null> => {
    const token = await rdsPassword({ host: 'db.internal', port: 5432, user: 'ann', fallbackRegion })();
    return new URL(`https://${token}`).searchParams.get('X-Amz-Credential')!.split('/')[2]!;
  };
  expect(await inRegion(null)).toBe('us-east-1');
  expect(await inRegion('eu-north-1')).toBe('eu-north-1');
});

test('without credentials the error says what is missing', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
  const asked = rdsPassword({ host, port: 5432, user: 'ann', fallbackRegion: null })();
  await expect(asked).rejects.toThrow(TerminalError);
  await expect(asked).rejects.toThrow(/ann at shop.*rds-db:connect.*AWS_PROFILE/);
});

test.each([
  [`postgres://ann@${host}:5433/shop`, 'iam'],
  [`postgres://ann@${host}:5433/shop?auth=iam`, 'password'],
] as const)('%s with auth %s signs in by IAM', async (url, auth) => {
  const access = await accessOf('shop', url, { ca: null, auth });
  expect(access.url).toBe(`postgres://ann@${host}:5433/shop`);
  expect(await access.password!()).toMatch(new RegExp(`^${host}:5433/.*DBUser=ann`));
});

test('a URL that IAM cannot sign in by is refused without showing it', async () => {
  for (const url of [`postgres://ann:hunter2@${host}/shop`, `postgres://${host}/shop`]) {
    const refused = accessOf('shop', url, { ca: null, auth: 'iam' });
    await expect(refused).rejects.toThrow(
      /connections\.shop: expected a URL with a user and without a password/,
    );
    await expect(refused).rejects.not.toThrow(/hunter2/);
  }
  await expect(
    accessOf('shop', `postgres://ann@${host}/shop`, { ca: '/nowhere/ca.pem', auth: 'password' }),
  ).rejects.toThrow(/ca\.pem to hold the authorities of the shop database/);
});
