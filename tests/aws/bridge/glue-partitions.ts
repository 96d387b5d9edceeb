import { ServiceError, type Fields, type Handlers } from './call.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import { fields, limitedList, list, page, seconds, text, textOr } from './named-input.ts';
import { partitionFilter, type PartitionKey } from './partition-expression.ts';

export interface Partition {
  readonly Values: readonly string[];
  readonly StorageDescriptor?: Fields;
  readonly Parameters?: Fields;
}

export interface GlueTable {
  readonly Name: string;
  readonly DatabaseName: string;
  readonly StorageDescriptor?: Fields;
  readonly PartitionKeys: readonly PartitionKey[];
  readonly Parameters?: Fields;
}

interface TableName {
  readonly DatabaseName: string;
  readonly TableName: string;
}

const absent = { ErrorCode: 'EntityNotFoundException', ErrorMessage: 'Cannot find partition.' };
const present = { ErrorCode: 'AlreadyExistsException', ErrorMessage: 'Partition already exists.' };

function keyOf(values: readonly string[]): string {
  return JSON.stringify(values);
}

function tableOf(input: Fields): TableName {
  return { DatabaseName: text(input, 'DatabaseName'), TableName: text(input, 'TableName') };
}

function serviceError({ ErrorCode, ErrorMessage }: typeof absent): ServiceError {
  return new ServiceError(ErrorCode, ErrorMessage);
}

/** Partitions of the Glue catalog with the limits, expressions and partial failures of the real one; tables stay with the emulator. */
export class GluePartitions {
  readonly #emulator: EmulatorCalls;
  readonly #tables = new Map<string, Map<string, Partition>>();

  constructor(emulator: EmulatorCalls) {
    this.#emulator = emulator;
  }

  async table({ DatabaseName, TableName }: TableName): Promise<GlueTable> {
    const { Table } = await this.#emulator.call('AWSGlue.GetTable', { DatabaseName, Name: TableName });
    return { PartitionKeys: [], ...(Table as Partial<GlueTable>) } as GlueTable;
  }

  of({ DatabaseName, TableName }: TableName): readonly Partition[] {
    return [...this.#map({ DatabaseName, TableName }).values()];
  }

  /** Makes the partition what is given, whether there was one or not. */
  put(table: TableName, partition: Partition): void {
    const now = seconds(Date.now());
    const whole = {
      CreationTime: now,
      LastAccessTime: now,
      CatalogId: '000000000000',
      ...table,
      ...partition,
    };
    this.#map(table).set(keyOf(partition.Values), whole);
  }

  remove(table: TableName, values: readonly string[]): boolean {
    return this.#map(table).delete(keyOf(values));
  }

  #map({ DatabaseName, TableName }: TableName): Map<string, Partition> {
    const key = `${DatabaseName}/${TableName}`.toLowerCase();
    const found = this.#tables.get(key) ?? new Map<string, Partition>();
    this.#tables.set(key, found);
    return found;
  }

  #create(table: GlueTable, name: TableName, partition: Partition): typeof absent | null {
    if (partition.Values?.length !== table.PartitionKeys.length)
      throw new ServiceError(
        'InvalidInputException',
        'The number of partition keys do not match the number of partition values',
      );
    if (this.#map(name).has(keyOf(partition.Values))) return present;
    this.put(name, partition);
    return null;
  }

  #update(name: TableName, values: readonly string[], partition: Partition): typeof absent | null {
    const map = this.#map(name);
    const isMoved = keyOf(values) !== keyOf(partition.Values);
    if (!map.has(keyOf(values))) return absent;
    if (isMoved && map.has(keyOf(partition.Values))) return present;
    map.delete(keyOf(values));
    this.put(name, partition);
    return null;
  }

  #forget(name: TableName): void {
    this.#tables.delete(`${name.DatabaseName}/${name.TableName}`.toLowerCase());
  }

  readonly handlers: Handlers = {
    'glue:CreatePartition': async (input) => {
      const name = tableOf(input);
      const partition = fields(input, 'PartitionInput') as unknown as Partition;
      const error = this.#create(await this.table(name), name, partition);
      if (error !== null) throw serviceError(error);
      return {};
    },
    'glue:BatchCreatePartition': async (input) => {
      const name = tableOf(input);
      const partitions = limitedList<Partition>(input, 'PartitionInputList', 100);
      const table = await this.table(name);
      const errors = partitions.map((one) => ({ one, error: this.#create(table, name, one) }));
      return {
        Errors: errors
          .filter(({ error }) => error !== null)
          .map(({ one, error }) => ({ PartitionValues: one.Values, ErrorDetail: error })),
      };
    },
    'glue:UpdatePartition': async (input) => {
      const name = tableOf(input);
      await this.table(name);
      const partition = fields(input, 'PartitionInput') as unknown as Partition;
      const error = this.#update(name, limitedList(input, 'PartitionValueList', 100), partition);
      if (error !== null) throw serviceError(error);
      return {};
    },
    'glue:BatchUpdatePartition': async (input) => {
      const name = tableOf(input);
      interface Entry {
        readonly PartitionValueList: readonly string[];
        readonly PartitionInput: Partition;
      }
      const entries = limitedList<Entry>(input, 'Entries', 100);
      await this.table(name);
      const errors = entries.map(({ PartitionValueList, PartitionInput }) => ({
        PartitionValueList,
        ErrorDetail: this.#update(name, PartitionValueList, PartitionInput),
      }));
      return { Errors: errors.filter(({ ErrorDetail }) => ErrorDetail !== null) };
    },
    'glue:DeletePartition': async (input) => {
      const name = tableOf(input);
      await this.table(name);
      if (!this.#map(name).delete(keyOf(list(input, 'PartitionValues')))) throw serviceError(absent);
      return {};
    },
    'glue:BatchDeletePartition': async (input) => {
      const name = tableOf(input);
      const entries = limitedList<Partition>(input, 'PartitionsToDelete', 25);
      await this.table(name);
      const missing = entries.filter(({ Values }) => !this.#map(name).delete(keyOf(Values)));
      return {
        Errors: missing.map(({ Values }) => ({ PartitionValues: Values, ErrorDetail: absent })),
      };
    },
    'glue:GetPartition': async (input) => {
      const name = tableOf(input);
      await this.table(name);
      const found = this.#map(name).get(keyOf(list(input, 'PartitionValues')));
      if (found === undefined) throw serviceError(absent);
      return { Partition: found };
    },
    'glue:BatchGetPartition': async (input) => {
      const name = tableOf(input);
      const entries = limitedList<Partition>(input, 'PartitionsToGet', 1000);
      await this.table(name);
      // A partition that is not there is left out of both lists.
      const found = entries.map(({ Values }) => this.#map(name).get(keyOf(Values)));
      return { Partitions: found.filter((one) => one !== undefined), UnprocessedKeys: [] };
    },
    'glue:GetPartitions': async (input) => {
      const name = tableOf(input);
      const { PartitionKeys } = await this.table(name);
      const fits = partitionFilter(textOr(input, 'Expression', ''), PartitionKeys);
      const found = this.of(name).filter(({ Values }) => fits(Values));
      const { items, next } = page(input, found, 1000);
      return { Partitions: items, ...next };
    },
    'glue:DeleteTable': async (input) => {
      const output = await this.#emulator.call('AWSGlue.DeleteTable', input);
      this.#forget({ DatabaseName: text(input, 'DatabaseName'), TableName: text(input, 'Name') });
      return output;
    },
    'glue:BatchDeleteTable': async (input) => {
      const output = await this.#emulator.call('AWSGlue.BatchDeleteTable', input);
      const DatabaseName = text(input, 'DatabaseName');
      for (const TableName of list<string>(input, 'TablesToDelete'))
        this.#forget({ DatabaseName, TableName });
      return output;
    },
    'glue:DeleteDatabase': async (input) => {
      const output = await this.#emulator.call('AWSGlue.DeleteDatabase', input);
      const prefix = `${text(input, 'Name')}/`.toLowerCase();
      for (const key of this.#tables.keys()) if (key.startsWith(prefix)) this.#tables.delete(key);
      return output;
    },
  };
}
