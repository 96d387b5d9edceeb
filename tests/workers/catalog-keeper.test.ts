import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { expect, inject, test } from 'vitest';
import { createRunSteps } from '../../activities/run-steps.ts';
import type { Catalog } from '../../ports/catalog.ts';
import { keepCatalog } from '../../workers/catalog-keeper.ts';
import { awsEndpoint } from '../engines/aws/endpoint.ts';
import { openInterposer, refused } from '../engines/aws/interposer.ts';
import { openFollowed } from '../engines/glue/catalog-fixture.ts';
import { bronze, bronzeDay, manifest, openRun, output, writes } from '../ports/ledger/fixture.ts';
import { noBed } from '../aws/clients.ts';

// `awsMissing` of the test run says why there is none.
const bed = inject('aws') ?? noBed;

type Followed = Awaited<ReturnType<typeof openFollowed>>;

/** Publishes a day of bronze as a run does, in the activity of a worker that has this catalog. */
async function publishDay(
  { ledger, files, write }: Followed,
  catalog: Catalog,
  removed = false,
): Promise<void> {
  await ledger.registerTables([bronze]);
  const day = bronzeDay('2026-01-01');
  const { snapshot } = await ledger.snapshot([writes(day)]);
  const written = removed
    ? { files: [], rows: 0, bytes: 0, removed }
    : { files: await write(bronze, { day: '2026-01-01' }) };
  const { publish } = createRunSteps({
    definitions: new Map(),
    ledger,
    objects: files,
    catalog,
    build: 'build-1',
  });
  const staged = { label: '', content: { manifest: manifest(snapshot, [output(day, written)]) } };
  const runId = await openRun(ledger);
  await new MockActivityEnvironment().run(publish, {
    runId,
    taskId: 'load',
    mapIndex: null,
    attempt: 1,
    staged,
  });
}

const silent = pino({ level: 'silent' });

test.skipIf(bed === noBed)(
  'what a run publishes is in the catalog when its publication is done, what it removes is not',
  async () => {
    await using fixture = await openFollowed();
    await publishDay(fixture, fixture.catalog);
    expect(await fixture.shown(bronze)).toEqual(await fixture.expected(bronze));
    expect(await fixture.ledger.behind(fixture.catalog.name)).toEqual([]);
    await publishDay(fixture, fixture.catalog, true);
    expect(await fixture.shown(bronze)).toEqual({});
  },
);

test.skipIf(bed === noBed)(
  'a catalog out of reach fails no publication, and is told by the housekeeping once it can be',
  async () => {
    let isOpen = false;
    await using interposer = await openInterposer(await awsEndpoint(), {
      GetTable: () => (isOpen ? undefined : refused('AccessDeniedException', 'not yet')),
    });
    await using fixture = await openFollowed(interposer.endpoint);
    const { catalog, ledger } = fixture;
    await publishDay(fixture, catalog);
    expect(await fixture.shown(bronze)).toBeNull();
    expect(await ledger.partitions(bronze.name)).toHaveLength(1);
    const keep = () => keepCatalog(ledger, catalog, silent, new AbortController().signal);
    await expect(keep()).rejects.toThrow(/permission for glue:GetTable/);
    isOpen = true;
    await keep();
    expect(await fixture.shown(bronze)).toEqual(await fixture.expected(bronze));
    const calls = interposer.calls.length;
    await keep();
    expect(interposer.calls).toHaveLength(calls);
  },
);
