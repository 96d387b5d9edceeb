import { inject } from 'vitest';
import { openPostgresWarehouse } from '../../../engines/postgres/warehouse.ts';
import type { Warehouse } from '../../../ports/warehouse.ts';
import { warehouseConformance } from '../../ports/warehouse.case.ts';
import type { WarehouseFixture } from '../../ports/warehouse/fixture.ts';
import { databases } from './databases.ts';

const server = databases(inject('postgresUrl'));

async function open(): Promise<WarehouseFixture> {
  const url = await server.create();
  const warehouses: Warehouse[] = [];
  const another = async (): Promise<Warehouse> => {
    const warehouse = await openPostgresWarehouse(url);
    warehouses.push(warehouse);
    return warehouse;
  };
  return {
    warehouse: await another(),
    another,
    cut: () => server.cut(url),
    sql: async (statement) => {
      await server.query(url, statement);
    },
    busySessions: async () =>
      (
        await server.query(
          url,
          `select from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
        )
      ).length,
    async [Symbol.asyncDispose]() {
      await Promise.all(warehouses.map((warehouse) => warehouse.close()));
    },
  };
}

warehouseConformance('the Postgres warehouse', open);
