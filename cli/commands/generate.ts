import { generators } from '../../pipelines/generators/index.ts';
import { nearest } from '../../workers/config/nearest.ts';
import { UsageError, type Cli } from '../cli.ts';
import type { GenerateOptions } from '../../pipelines/generators/options.ts';
import { generateIntoLake } from '../generate-into-lake.ts';
import { dateRange, wholeNumber } from '../arguments.ts';
import { bytes, count } from '../format.ts';

export interface GenerateFlags {
  readonly seed: string;
  readonly rows: string;
  readonly date: string;
  readonly days: string;
  readonly into?: string;
  readonly dirtShare?: string;
  readonly json?: boolean;
}

export async function generate(cli: Cli, source: string, flags: GenerateFlags): Promise<void> {
  const generator = generators[source];
  if (generator === undefined) {
    const known = Object.keys(generators);
    const meant = nearest(source, known);
    throw new UsageError(
      `expected a source (${known.join(', ')}); found ${source}.${meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''}`,
    );
  }
  const share = flags.dirtShare === undefined ? undefined : Number(flags.dirtShare);
  if (share !== undefined && !(share >= 0 && share <= 1))
    throw new UsageError(`expected --dirt-share from 0 to 1; found ${flags.dirtShare}.`);
  const options = {
    seed: flags.seed,
    rows: wholeNumber('--rows', flags.rows),
    dates: dateRange(flags.date, flags.days),
    signal: cli.signal,
    ...(share === undefined ? {} : { dirtShare: share }),
  };
  const make = (given: GenerateOptions) => generator.generate(given);
  const files =
    flags.into === undefined
      ? await generateIntoLake(cli.config(), cli.inputs.env, make, options)
      : await make({ ...options, into: flags.into });
  if (flags.json)
    return cli.print(
      JSON.stringify(
        files.map(({ date, paths, truthPath, bytes: size, truth }) => ({
          date,
          paths,
          truthPath,
          bytes: size,
          rows: truth.rows,
        })),
      ),
    );
  for (const file of files)
    cli.print(`${file.date}  ${count(file.truth.rows)} rows, ${bytes(file.bytes)}  ${file.paths.join(' ')}`);
}
