import type { Knex } from 'knex';

const up = `
create table ingot.pools (
  name text collate "C" primary key,
  slots integer not null check (slots >= 0),
  description text
);

create table ingot.pool_leases (
  lease_id text collate "C" primary key,
  -- Of ingot.pools, or not yet.
  pool text collate "C" not null,
  run_id text collate "C" not null references ingot.runs,
  workflow_id text collate "C" not null,
  task text collate "C" not null,
  slots integer not null,
  priority integer not null,
  -- In this order of one priority they are served.
  ticket bigint generated always as identity,
  asked_at timestamptz not null default clock_timestamp(),
  granted_at timestamptz,
  -- When the run's execution was told of the grant.
  told_at timestamptz,
  -- Kept until the run closes: a request that arrives after its release must not be granted.
  released_at timestamptz
);
create index pool_leases_of_run on ingot.pool_leases (run_id);
create index pool_leases_held on ingot.pool_leases (pool, granted_at) where granted_at is not null and released_at is null;
create index pool_leases_waiting on ingot.pool_leases (pool, priority desc, ticket) where granted_at is null and released_at is null;
create index pool_leases_untold on ingot.pool_leases (granted_at) where granted_at is not null and told_at is null and released_at is null;
update ingot.format set number = 4;
`;

export const poolsMigration = {
  name: '0005-pools',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw(
      'drop table ingot.pool_leases; drop table ingot.pools; update ingot.format set number = 3',
    );
  },
};
