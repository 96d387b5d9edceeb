import type { Knex } from 'knex';

/**
 * Text keys collate "C": ordered by code point on every server, and prefix searches use the index.
 * `format` is what an opened ledger compares with its own number; a migration that older code cannot live with raises it.
 */
const up = `
create table ingot.format (number integer not null);
insert into ingot.format values (1);

create table ingot.plans (
  hash text collate "C" primary key,
  dag_id text collate "C" not null,
  plan json not null,
  recorded_at timestamptz not null default clock_timestamp()
);

create table ingot.runs (
  run_id text collate "C" primary key,
  workflow_id text collate "C" not null,
  dag_id text collate "C" not null,
  type text not null check (type in ('scheduled', 'manual', 'backfill', 'event')),
  state text not null check (state in ('running', 'success', 'failed', 'cancelled')),
  logical_date timestamptz not null,
  interval_start timestamptz not null,
  interval_end timestamptz not null,
  params jsonb not null,
  plan_hash text collate "C" not null references ingot.plans,
  build text not null,
  started_at timestamptz not null,
  -- This server's clock when the run was first seen: every snapshot of the run is younger.
  begun_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  failure jsonb,
  check ((state = 'running') = (ended_at is null))
);
create unique index runs_open on ingot.runs (workflow_id) where state = 'running';
create index runs_newest on ingot.runs (started_at desc, run_id);
create index runs_of_dag on ingot.runs (dag_id, started_at desc, run_id);
create index runs_of_workflow on ingot.runs (workflow_id, started_at desc, run_id);
create index runs_in_state on ingot.runs (state, started_at desc, run_id);

create table ingot.task_attempts (
  run_id text collate "C" not null references ingot.runs,
  task_id text collate "C" not null,
  map_index integer not null,
  attempt integer not null,
  state text not null,
  scheduled_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  worker text,
  failure jsonb,
  output jsonb,
  primary key (run_id, task_id, map_index, attempt)
);

create table ingot.events (
  key text collate "C" primary key,
  kind text collate "C" not null,
  at timestamptz not null,
  payload jsonb not null,
  position bigint generated always as identity
);
create index events_newest on ingot.events (position desc);
create index events_of_kind on ingot.events (kind, position desc);

create table ingot.tables (
  name text collate "C" primary key,
  zone text not null,
  columns jsonb not null,
  partition_by text[] not null,
  description text
);

create table ingot.publications (
  id bigint generated always as identity primary key,
  run_id text collate "C" not null references ingot.runs,
  task_id text collate "C" not null,
  map_index integer not null,
  attempt integer not null,
  published_at timestamptz not null,
  build text not null,
  sql_hash text,
  contract_hash text,
  engine text,
  verdict text not null check (verdict in ('pass', 'warn')),
  summary jsonb not null,
  unique (run_id, task_id, map_index, attempt)
);

create sequence ingot.versions;
create table ingot.partition_versions (
  version bigint primary key,
  publication_id bigint not null references ingot.publications,
  table_name text collate "C" not null references ingot.tables,
  partition text collate "C" not null,
  partition_values jsonb not null,
  rows bigint not null,
  bytes bigint not null,
  columns jsonb not null,
  removed boolean not null,
  superseded_at timestamptz,
  forgotten_at timestamptz
);
create index versions_of_publication on ingot.partition_versions (publication_id);
create index versions_of_table on ingot.partition_versions (table_name, publication_id desc);
create index versions_of_partition on ingot.partition_versions (table_name, partition, publication_id desc);
create index versions_superseded on ingot.partition_versions (superseded_at)
  where superseded_at is not null and forgotten_at is null;

create table ingot.version_files (
  version bigint not null references ingot.partition_versions,
  position integer not null,
  key text collate "C" not null,
  bytes bigint not null,
  rows bigint not null,
  primary key (version, position)
);
create index version_files_by_key on ingot.version_files (key);

-- The pointer: what readers see. A removed partition keeps its row, as a tombstone that readers take for absent.
create table ingot.partitions (
  table_name text collate "C" not null references ingot.tables,
  partition text collate "C" not null,
  partition_values jsonb not null,
  version bigint not null references ingot.partition_versions,
  rows bigint not null,
  bytes bigint not null,
  removed boolean not null,
  published_at timestamptz not null,
  primary key (table_name, partition)
);

create table ingot.publication_inputs (
  publication_id bigint not null references ingot.publications,
  table_name text collate "C" not null,
  partition text collate "C" not null,
  version bigint,
  primary key (publication_id, table_name, partition)
);
create index publication_inputs_of_version on ingot.publication_inputs (version);

create table ingot.rule_results (
  publication_id bigint not null references ingot.publications,
  position integer not null,
  table_name text collate "C" not null,
  partition text collate "C" not null,
  rule text collate "C" not null,
  severity text not null,
  outcome text not null,
  checked bigint not null,
  failed bigint not null,
  details jsonb not null,
  primary key (publication_id, position)
);
create index rule_results_of_partition on ingot.rule_results (table_name, partition, publication_id desc);

create table ingot.accounts (
  scope text collate "C" not null,
  partition text collate "C" not null,
  read bigint not null,
  parts jsonb not null,
  publication_id bigint not null references ingot.publications,
  primary key (scope, partition)
);

create table ingot.watermarks (
  name text collate "C" primary key,
  value jsonb,
  publication_id bigint not null references ingot.publications
);

create table ingot.leases (
  run_id text collate "C" not null references ingot.runs,
  -- Hash of the selectors: asking again for the same ones renews.
  request text collate "C" not null,
  ticket bigint generated always as identity,
  selectors jsonb not null,
  tables text[] not null,
  held boolean not null,
  expires_at timestamptz not null,
  primary key (run_id, request)
);
`;

export const ledgerMigration = {
  name: '0001-ledger',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(): Promise<void> {
    throw new Error('The first migration is not undone: drop the schema "ingot" in place of it.');
  },
};
