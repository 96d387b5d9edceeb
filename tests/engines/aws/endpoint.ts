// Temporary: until the test bed of all AWS tests is there.
import { spawn } from 'node:child_process';
import { openInterposer, type Interposer, type Reply } from './interposer.ts';

let opened: Promise<Interposer> | undefined;

async function open(): Promise<Interposer> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const child = spawn(process.env['MINISTACK'] ?? 'ministack', [], {
    env: { ...process.env, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port) },
    stdio: 'ignore',
  });
  process.on('exit', () => child.kill());
  const service = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries += 1) {
    const ok = await fetch(`${service}/_ministack/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return openInterposer(service, {
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
