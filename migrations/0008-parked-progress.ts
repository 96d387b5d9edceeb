import type { Knex } from 'knex';

const up = `
-- Progress of a run that continued as new and is too long for one message, in parts. It is gone when the run ends.
create table ingot.parked_progress (
  run_id text collate "C" not null references ingot.runs,
  revision integer not null,
  part integer not null,
  content text not null,
  primary key (run_id, revision, part)
);
update ingot.format set number = 7;
`;

export const parkedProgressMigration = {
  name: '0008-parked-progress',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw('drop table ingot.parked_progress; update ingot.format set number = 6');
  },
};
