import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchUpdatePartitionCommand,
  CreatePartitionCommand,
  DeletePartitionCommand,
  type ErrorDetail,
  type PartitionInput,
  UpdatePartitionCommand,
} from '@aws-sdk/client-glue';
import type { Abortable } from '../../ports/abortable.ts';
import { type CatalogClient, isNamed, type TablePlace } from './catalog-client.ts';

/** A partition as it is to be; null takes it away. */
export interface PartitionChange {
  readonly action: 'create' | 'update' | 'remove';
  readonly values: readonly string[];
  readonly input: PartitionInput | null;
}

/** Glue's own limits for one call. */
const batch = { write: 100, remove: 25 };

/** One call for many partitions, which answers those it could not do. */
type Batch = (changes: readonly PartitionChange[]) => Promise<readonly Refusal[]>;

interface Refusal {
  readonly values: readonly string[];
  readonly error: ErrorDetail;
}

const keyOf = (values: readonly string[]): string => JSON.stringify(values);

function refusals(
  errors: readonly {
    readonly values: readonly string[] | undefined;
    readonly error: ErrorDetail | undefined;
  }[],
): readonly Refusal[] {
  return errors.map(({ values = [], error = {} }) => ({ values, error }));
}

/**
 * Writes the changes of one table, telling `onDone` how many are done. What a batch leaves undone is tried alone, by what it then turns out to be: one that
 * is there already is updated, one that is not is created. A partition that is refused alone as well fails the call.
 */
export async function writePartitions(
  client: CatalogClient,
  place: TablePlace,
  changes: readonly PartitionChange[],
  signal: Abortable,
  onDone: (count: number) => void,
): Promise<void> {
  const { glue } = client;
  const [DatabaseName, TableName] = [place.database, place.table];
  const name = `${place.database}.${place.table}`;
  const batches: Readonly<Record<PartitionChange['action'], Batch>> = {
    create: async (some) => {
      const { Errors = [] } = await client.answer('BatchCreatePartition', name, () =>
        glue.send(
          new BatchCreatePartitionCommand({
            DatabaseName,
            TableName,
            PartitionInputList: some.map(({ input }) => input!),
          }),
        ),
      );
      return refusals(
        Errors.map(({ PartitionValues, ErrorDetail }) => ({ values: PartitionValues, error: ErrorDetail })),
      );
    },
    update: async (some) => {
      const { Errors = [] } = await client.answer('BatchUpdatePartition', name, () =>
        glue.send(
          new BatchUpdatePartitionCommand({
            DatabaseName,
            TableName,
            Entries: some.map(({ input, values }) => ({
              PartitionValueList: [...values],
              PartitionInput: input!,
            })),
          }),
        ),
      );
      return refusals(
        Errors.map(({ PartitionValueList, ErrorDetail }) => ({
          values: PartitionValueList,
          error: ErrorDetail,
        })),
      );
    },
    remove: async (some) => {
      const { Errors = [] } = await client.answer('BatchDeletePartition', name, () =>
        glue.send(
          new BatchDeletePartitionCommand({
            DatabaseName,
            TableName,
            PartitionsToDelete: some.map(({ values }) => ({ Values: [...values] })),
          }),
        ),
      );
      return refusals(
        Errors.map(({ PartitionValues, ErrorDetail }) => ({ values: PartitionValues, error: ErrorDetail })),
      );
    },
  };

  async function alone({ action, values, input }: PartitionChange): Promise<void> {
    const at = `${name}/${values.join('/')}`;
    const key = { DatabaseName, TableName };
    if (action === 'remove')
      return client.answer('DeletePartition', at, async () => {
        try {
          await glue.send(new DeletePartitionCommand({ ...key, PartitionValues: [...values] }));
        } catch (error) {
          if (!isNamed(error, 'EntityNotFoundException')) throw error;
        }
      });
    const update = (): Promise<unknown> =>
      glue.send(
        new UpdatePartitionCommand({ ...key, PartitionValueList: [...values], PartitionInput: input! }),
      );
    const create = (): Promise<unknown> =>
      glue.send(new CreatePartitionCommand({ ...key, PartitionInput: input! }));
    const [first, second, overtaken] =
      action === 'create'
        ? ([create, update, 'AlreadyExistsException'] as const)
        : ([update, create, 'EntityNotFoundException'] as const);
    await client.answer(action === 'create' ? 'CreatePartition' : 'UpdatePartition', at, () =>
      first().catch((error: unknown) => {
        if (!isNamed(error, overtaken)) throw error;
        return second();
      }),
    );
  }

  /** What is known to be there, or not, need not be tried the wrong way first. */
  function again(change: PartitionChange, { error }: Refusal): PartitionChange | null {
    if (error.ErrorCode === 'AlreadyExistsException') return { ...change, action: 'update' };
    if (error.ErrorCode !== 'EntityNotFoundException') return change;
    return change.action === 'remove' ? null : { ...change, action: 'create' };
  }

  for (const action of ['create', 'update', 'remove'] as const) {
    const size = action === 'remove' ? batch.remove : batch.write;
    const own = changes.filter((change) => change.action === action);
    for (let at = 0; at < own.length; at += size) {
      if (signal.aborted) throw signal.reason;
      const some = own.slice(at, at + size);
      const refused = await batches[action](some);
      onDone(some.length - refused.length);
      const byKey = new Map(some.map((change) => [keyOf(change.values), change]));
      for (const refusal of refused) {
        if (signal.aborted) throw signal.reason;
        const change = again(byKey.get(keyOf(refusal.values))!, refusal);
        if (change !== null) await alone(change);
        onDone(1);
      }
    }
  }
}
