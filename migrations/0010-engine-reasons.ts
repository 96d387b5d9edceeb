import type { Knex } from 'knex';

const up = `
-- Why a publication was computed on the engine it was: asked for, or chosen by the size of its inputs.
alter table ingot.publications add engine_reason text;
update ingot.format set number = 9;
`;

export const engineReasonsMigration = {
  name: '0010-engine-reasons',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw('alter table ingot.publications drop engine_reason; update ingot.format set number = 8');
  },
};
