import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Room {
  readonly rooms: readonly string[];
  readonly packages: readonly RegExp[];
  readonly node: boolean;
}

function aws(sdk: RegExp): Room {
  return { rooms: ['dag', 'ports', 'engines/aws'], packages: [sdk], node: true };
}

/** The table of docs/architecture.md: what each room may import, and whether it may use Node's own modules. */
const rooms: Record<string, Room> = {
  dag: { rooms: [], packages: [], node: false },
  ports: { rooms: ['dag'], packages: [], node: false },
  workflows: { rooms: ['dag', 'ports'], packages: [/^@temporalio\/(workflow|common)$/], node: false },
  activities: {
    rooms: ['dag', 'ports'],
    packages: [/^@temporalio\/(activity|common)$/],
    node: true,
  },
  'engines/duckdb': {
    rooms: ['dag', 'ports'],
    packages: [/^@duckdb\/node-api$/],
    node: true,
  },
  'engines/filesystem': { rooms: ['dag', 'ports'], packages: [], node: true },
  'engines/postgres': {
    rooms: ['dag', 'ports'],
    packages: [/^pg$/, /^pg-copy-streams$/, /^knex$/],
    node: true,
  },
  // What every AWS adapter is made with: clients' options, errors.
  'engines/aws': { rooms: ['dag', 'ports'], packages: [/^@aws-sdk\/credential-providers$/], node: true },
  'engines/s3': aws(/^@aws-sdk\/client-s3$/),
  'engines/glue': aws(/^@aws-sdk\/client-glue$/),
  'engines/athena': aws(/^@aws-sdk\/client-athena$/),
  'engines/sns': aws(/^@aws-sdk\/client-sns$/),
  'engines/sqs': aws(/^@aws-sdk\/client-sqs$/),
  'engines/cloudwatch': aws(/^@aws-sdk\/client-cloudwatch$/),
  'engines/secretsmanager': aws(/^@aws-sdk\/client-secrets-manager$/),
  'engines/rds': aws(/^@aws-sdk\/rds-signer$/),
  'engines/iam': aws(/^@aws-sdk\/client-(iam|sts)$/),
  'engines/spark-sql': { rooms: ['dag', 'ports'], packages: [/^@polyglot-sql\/sdk$/], node: true },
  'engines/notify': { rooms: ['dag', 'ports'], packages: [/^nodemailer$/], node: true },
  migrations: { rooms: ['dag', 'ports'], packages: [/^knex$/, /^pg$/], node: true },
  pipelines: { rooms: ['dag', 'ports', 'activities'], packages: [/^@faker-js\/faker$/], node: true },
  workers: {
    rooms: ['dag', 'ports', 'workflows', 'activities', 'engines', 'pipelines', 'migrations'],
    packages: [/./],
    node: true,
  },
  cli: {
    rooms: ['dag', 'ports', 'workflows', 'activities', 'engines', 'pipelines', 'migrations', 'workers'],
    packages: [/./],
    node: true,
  },
};
/** A room whose imports of another are for types only. */
const typesOnly = new Set(['workflows>ports']);

function sources(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function imports(file: string): { from: string; type: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  );
  const dynamic = text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [
    ...[...statements].map((match) => ({ type: match[1] !== undefined, from: match[2]! })),
    ...[...dynamic].map((match) => ({ type: false, from: match[1]! })),
  ];
}

function roomOf(file: string): string {
  const [first, second] = file.split('/');
  return first === 'engines' ? `engines/${second}` : first!;
}

function violation(room: string, file: string, entry: { from: string; type: boolean }): string | null {
  const rule = rooms[room]!;
  const where = `${file} imports ${entry.from}`;
  if (entry.from.startsWith('.')) {
    const target = roomOf(relative(root, resolve(root, dirname(file), entry.from)));
    if (target === room) return null;
    const isAllowed = rule.rooms.includes(target) || rule.rooms.includes(target.split('/')[0]!);
    if (!isAllowed) return `${where}: ${room} may import only ${rule.rooms.join(', ') || 'nothing'}`;
    if (typesOnly.has(`${room}>${target}`) && !entry.type)
      return `${where}: ${room} may import types only from ${target}`;
    return null;
  }
  if (entry.from.startsWith('node:'))
    return rule.node ? null : `${where}: ${room} may not use Node's modules`;
  return rule.packages.some((allowed) => allowed.test(entry.from))
    ? null
    : `${where}: not a package of ${room}`;
}

test.each(Object.keys(rooms))('%s imports only what its row of the rooms table allows', (room) => {
  const found = sources(room).flatMap((file) => imports(file).map((entry) => violation(room, file, entry)));
  expect(found.filter((problem) => problem !== null)).toEqual([]);
});

test('every folder with sources at the root is a room of the table, bench, tests, docs, or what a user adds', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map((entry) => entry.name);
  const others = ['bench', 'infra', 'tests', 'docs', 'my-dags'];
  const known = new Set([...Object.keys(rooms).map((room) => room.split('/')[0]), ...others]);
  expect(folders.filter((folder) => !known.has(folder))).toEqual([]);
  const engines = readdirSync(join(root, 'engines')).filter((name) => rooms[`engines/${name}`] === undefined);
  expect(engines).toEqual([]);
});
