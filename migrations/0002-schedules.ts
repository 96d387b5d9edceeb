import type { Knex } from 'knex';

/** Runs begun by older code are not queued: it knows no limit of active runs. */
const up = `
alter table ingot.runs add column queued boolean not null default false;
alter table ingot.runs add column max_active_runs integer;
create index runs_waiting on ingot.runs (dag_id, begun_at, run_id) where state = 'running';

create table ingot.schedules (
  dag_id text collate "C" primary key,
  -- Null while the DAG is not deployed.
  plan_hash text collate "C" references ingot.plans,
  paused boolean not null default false,
  ticked_to timestamptz
);
`;

export const schedulesMigration = {
  name: '0002-schedules',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw(
      'drop table ingot.schedules; alter table ingot.runs drop column queued, drop column max_active_runs',
    );
  },
};
