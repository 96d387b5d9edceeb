import { inject } from 'vitest';
import { emulated } from '../../aws/emulated.ts';
import { openInterposer, type Interposer, type Reply } from './interposer.ts';

let opened: Promise<Interposer> | undefined;

// Until the bed does these two itself.
function open(): Promise<Interposer> {
  return openInterposer(emulated(inject('aws')!).endpoint, {
    BatchDeletePartition: async (body, pass): Promise<Reply> => {
      for (const { Values } of body['PartitionsToDelete'] as { Values: string[] }[])
        await pass('DeletePartition', { ...body, PartitionValues: Values });
      return { status: 200, body: { Errors: [] } };
    },
    UpdatePartition: async (body, pass): Promise<Reply> => {
      const { body: answer } = await pass('BatchUpdatePartition', {
        ...body,
        Entries: [{ PartitionValueList: body['PartitionValueList'], PartitionInput: body['PartitionInput'] }],
      });
      const [error] = (answer as { Errors: { ErrorDetail: { ErrorCode: string; ErrorMessage: string } }[] })
        .Errors;
      return error === undefined
        ? { status: 200, body: {} }
        : {
            status: 400,
            body: { __type: error.ErrorDetail.ErrorCode, message: error.ErrorDetail.ErrorMessage },
          };
    },
  });
}

export async function awsEndpoint(): Promise<string> {
  return (await (opened ??= open())).endpoint;
}
