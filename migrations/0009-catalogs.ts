import type { Knex } from 'knex';

const up = `
-- How far a catalog outside has followed the publications of a table.
create table ingot.catalog_syncs (
  catalog text collate "C" not null,
  table_name text collate "C" not null references ingot.tables,
  publication_id bigint not null references ingot.publications,
  synced_at timestamptz not null default clock_timestamp(),
  primary key (catalog, table_name)
);
update ingot.format set number = 8;
`;

export const catalogsMigration = {
  name: '0009-catalogs',
  async up(knex: Knex): Promise<void> {
    await knex.raw(up);
  },
  async down(knex: Knex): Promise<void> {
    await knex.raw('drop table ingot.catalog_syncs; update ingot.format set number = 7');
  },
};
