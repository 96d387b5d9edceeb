import type { Knex } from 'knex';

/**
 * Slices: of which inputs, code and parameters each part of a task's outputs was published last; the first publication by this
 * code fills it. Assets: rows of one asset get their positions under a lock that is held until they are committed, so that
 * within an asset the order of positions is the order in which readers see them.
 */
const up = `
create table ingot.published_slices (
  dag_id text collate "C" not null,
  task_id text collate "C" not null,
  map_index integer not null,
  slice text collate "C" not null,
  fingerprint text collate "C" not null,
  publication_id bigint not null references ingot.publications,
  primary key (dag_id, task_id, map_index, slice)
);
create index events_left_unchanged on ingot.events ((payload ->> 'runId')) where kind = 'left_unchanged';

create table ingot.asset_events (
  asset text collate "C" not null,
  position bigint not null,
  -- What happened is known by its key: the same again is no new event.
  key text collate "C" not null,
  at timestamptz not null,
  -- The run that caused it; null for an event by hand.
  run_id text collate "C",
  dag_id text collate "C",
  logical_date timestamptz,
  publication_id bigint references ingot.publications,
  payload jsonb not null,
  primary key (asset, position),
  unique (asset, key)
);

create table ingot.asset_heads (
  asset text collate "C" primary key,
  position bigint not null
);

create table ingot.asset_cursors (
  dag_id text collate "C" not null,
  asset text collate "C" not null,
  position bigint not null,
  primary key (dag_id, asset)
);

-- Events that a DAG has read, by the interval they ask for. Each belongs to one run at most: the number it has there.
create table ingot.asset_deliveries (
  dag_id text collate "C" not null,
  asset text collate "C" not null,
  position bigint not null,
  interval_start timestamptz not null,
  interval_end timestamptz not null,
  number bigint,
  primary key (dag_id, asset, position),
  foreign key (asset, position) references ingot.asset_events
);
create index asset_deliveries_waiting on ingot.asset_deliveries (dag_id, interval_start) where number is null;
create index asset_deliveries_of_run on ingot.asset_deliveries (dag_id, number) where number is not null;

create table ingot.asset_runs (
  dag_id text collate "C" not null,
  number bigint not null,
  interval_start timestamptz not null,
  interval_end timestamptz not null,
  taken_at timestamptz not null default clock_timestamp(),
  -- Null until the run has begun: then it was never started, or its execution ended before.
  run_id text collate "C",
  primary key (dag_id, number)
);
create index asset_runs_of_run on ingot.asset_runs (run_id) where run_id is not null;
create index asset_runs_unbegun on ingot.asset_runs (dag_id, number) where run_id is null;
update ingot.format set number = 6;
`;

export const slicesAndAssetsMigration = {
  name: '0007-slices-and-assets',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw(
      `drop table ingot.asset_deliveries, ingot.asset_runs, ingot.asset_cursors, ingot.asset_heads, ingot.asset_events, ingot.published_slices;
       drop index ingot.events_left_unchanged; update ingot.format set number = 4`,
    );
  },
};
