import type { Knex } from 'knex';

const up = `
alter table ingot.runs add column held boolean not null default false;
update ingot.format set number = 3;
`;

export const heldRunsMigration = {
  name: '0004-held-runs',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw('alter table ingot.runs drop column held; update ingot.format set number = 2');
  },
};
