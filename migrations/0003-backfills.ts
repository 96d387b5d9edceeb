import type { Knex } from 'knex';

const up = `
create table ingot.backfills (
  backfill_id text collate "C" primary key,
  workflow_id text collate "C" not null,
  dag_id text collate "C" not null,
  state text not null check (state in ('running', 'paused', 'success', 'failed', 'cancelled')),
  -- Starts of the first and the last interval.
  first_start timestamptz not null,
  last_start timestamptz not null,
  backwards boolean not null,
  reprocess text not null,
  max_active_runs integer not null,
  params jsonb not null,
  total integer not null,
  -- Of what was told last: what arrives late changes nothing.
  revision integer not null default 0,
  created_at timestamptz not null,
  ended_at timestamptz,
  check ((state in ('running', 'paused')) = (ended_at is null))
);
create unique index backfills_open on ingot.backfills (workflow_id) where ended_at is null;
create index backfills_newest on ingot.backfills (created_at desc, backfill_id);

create table ingot.backfill_intervals (
  backfill_id text collate "C" not null references ingot.backfills,
  interval_start timestamptz not null,
  interval_end timestamptz not null,
  state text not null check (state in ('skipped', 'running', 'success', 'failed', 'cancelled')),
  reason text not null,
  -- Of ingot.runs, once a worker has begun it.
  run_id text collate "C",
  started_at timestamptz,
  ended_at timestamptz,
  primary key (backfill_id, interval_start)
);
create index backfill_intervals_of_run on ingot.backfill_intervals (run_id) where run_id is not null;
update ingot.format set number = 2;
`;

export const backfillsMigration = {
  name: '0003-backfills',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw(
      'drop table ingot.backfill_intervals; drop table ingot.backfills; update ingot.format set number = 1',
    );
  },
};
