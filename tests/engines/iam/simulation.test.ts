import { beforeAll, expect, test } from 'vitest';
import { findRole } from '../../../engines/iam/roles.ts';
import { simulate } from '../../../engines/iam/simulation.ts';
import { errorXml, openIamServer, simulationXml } from './iam-server.ts';

const resource = 'arn:aws:s3:::my-lake/lake/ingot-doctor';
const actions = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
const user = 'arn:aws:iam::123456789012:user/ann';

beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
});

/** As IAM answers, with a path in the role's ARN and a trust policy that is percent-encoded. */
function roleXml(name: string): string {
  const trust = encodeURIComponent(
    JSON.stringify({ Statement: [{ Principal: { Service: 'glue.amazonaws.com' } }] }),
  );
  return `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>
    <Path>/teams/data/</Path><Arn>arn:aws:iam::123456789012:role/teams/data/${name}</Arn><RoleName>${name}</RoleName>
    <AssumeRolePolicyDocument>${trust}</AssumeRolePolicyDocument>
    <CreateDate>2026-01-01T00:00:00Z</CreateDate><RoleId>AROA1234567890EXAMPLE</RoleId>
  </Role></GetRoleResult></GetRoleResponse>`;
}

test('every page of the answer counts, and what IAM says of each action is kept', async () => {
  await using iam = await openIamServer(({ Marker }) => ({
    body:
      Marker === undefined
        ? simulationXml({ 's3:GetObject': 'allowed', 's3:PutObject': 'implicitDeny' }, resource, 'more')
        : simulationXml({ 's3:DeleteObject': 'explicitDeny' }, resource),
  }));
  const options = { endpoint: iam.endpoint, region: 'eu-west-1' };
  expect(await simulate(options, user, [{ resource, actions }])).toEqual([
    { resource, action: 's3:GetObject', decision: 'allowed' },
    { resource, action: 's3:PutObject', decision: 'implicitDeny' },
    { resource, action: 's3:DeleteObject', decision: 'explicitDeny' },
  ]);
  expect(iam.asked[0]).toMatchObject({
    Action: 'SimulatePrincipalPolicy',
    PolicySourceArn: user,
    'ActionNames.member.1': 's3:GetObject',
    'ActionNames.member.3': 's3:DeleteObject',
    'ResourceArns.member.1': resource,
    'ContextEntries.member.1.ContextKeyName': 'iam:PassedToService',
    'ContextEntries.member.1.ContextKeyValues.member.1': 'glue.amazonaws.com',
  });
  expect(iam.asked[1]).toMatchObject({ Marker: 'more' });
});

test('a session asks for the role it has taken, with the path that its own ARN does not tell', async () => {
  await using iam = await openIamServer(({ Action }) => ({
    body: Action === 'GetRole' ? roleXml('worker') : simulationXml({ 's3:GetObject': 'allowed' }, resource),
  }));
  const options = { endpoint: iam.endpoint, region: 'eu-west-1' };
  const session = 'arn:aws:sts::123456789012:assumed-role/worker/i-0abc';
  await simulate(options, session, [{ resource, actions: ['s3:GetObject'] }]);
  expect(iam.asked.map(({ PolicySourceArn, RoleName }) => PolicySourceArn ?? RoleName)).toEqual([
    'worker',
    'arn:aws:iam::123456789012:role/teams/data/worker',
  ]);
  expect((await findRole(options, 'worker'))?.trust).toContain('glue.amazonaws.com');
});

test('a session that may not look at its role asks for the role without a path', async () => {
  await using iam = await openIamServer(({ Action }) =>
    Action === 'GetRole'
      ? { status: 403, body: errorXml('AccessDenied', 'not authorized to perform: iam:GetRole') }
      : { body: simulationXml({ 's3:GetObject': 'allowed' }, resource) },
  );
  const session = 'arn:aws-cn:sts::123456789012:assumed-role/worker/i-0abc';
  const options = { endpoint: iam.endpoint, region: 'cn-north-1' };
  expect(await simulate(options, session, [{ resource, actions: ['s3:GetObject'] }])).toHaveLength(1);
  expect(iam.asked.at(-1)).toMatchObject({ PolicySourceArn: 'arn:aws-cn:iam::123456789012:role/worker' });
});

test('the account itself may do everything, and is not asked for', async () => {
  await using iam = await openIamServer(() => ({ status: 400, body: errorXml('InvalidInput', 'root') }));
  const options = { endpoint: iam.endpoint, region: 'eu-west-1' };
  const verdicts = await simulate(options, 'arn:aws:iam::123456789012:root', [{ resource, actions }]);
  expect(verdicts.map(({ decision }) => decision)).toEqual(['allowed', 'allowed', 'allowed']);
  expect(iam.asked).toEqual([]);
});

test('who may not ask is told which permission is missing', async () => {
  await using iam = await openIamServer(() => ({
    status: 403,
    body: errorXml('AccessDenied', 'User ann is not authorized to perform: iam:SimulatePrincipalPolicy'),
  }));
  const options = { endpoint: iam.endpoint, region: 'eu-west-1' };
  await expect(simulate(options, user, [{ resource, actions }])).rejects.toThrow(
    /expected permission for iam:SimulatePrincipalPolicy/,
  );
  expect(await findRole(options, 'gone').catch((error: Error) => error.name)).toBe('TerminalError');
});

test('a role that is not there is no error', async () => {
  await using iam = await openIamServer(() => ({
    status: 404,
    body: errorXml('NoSuchEntity', 'The role with name gone cannot be found.'),
  }));
  expect(await findRole({ endpoint: iam.endpoint, region: 'eu-west-1' }, 'gone')).toBeNull();
});
