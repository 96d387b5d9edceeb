import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DayWriter } from './day-writer.ts';
import type { GenerateOptions, GeneratedFile, Truth } from './options.ts';
import { LandingFile, writeWhole } from './landing-file.ts';
import { Placement } from './placement.ts';
import { seedOf } from './random.ts';
import type { Source } from './source.ts';
import { dateText, dayOf } from './timestamps.ts';

const defaultShare = 0.002;
const byteOrderMark = '\uFEFF';

/** Writes the files of `source`, one date after another. A file's bytes depend on seed, rows, dirt and date only. */
export async function generateFiles(
  source: Source,
  options: GenerateOptions,
): Promise<readonly GeneratedFile[]> {
  const shares = sharesOf(source, options);
  if (!Number.isSafeInteger(options.rows) || options.rows < 0)
    throw new RangeError(`Expected a whole number of rows, found ${options.rows}. Give --rows as 0 or more.`);
  const days = [...new Set(options.dates.map(dayOf))].sort((a, b) => a - b);
  const files: GeneratedFile[] = [];
  for (const day of days) files.push(await generateDay(source, options, shares, days, day));
  await rm(join(options.into, '.generating'), { recursive: true, force: true });
  return files;
}

async function generateDay(
  source: Source,
  options: GenerateOptions,
  shares: ReadonlyMap<string, number>,
  days: readonly number[],
  day: number,
): Promise<GeneratedFile> {
  const seed = seedOf(options.seed);
  const date = dateText(day);
  const bom = options.bom ?? (seed + day) % 2 === 0;
  const crlf = options.crlf ?? (seed + day) % 3 === 0;
  const again = source.deliveredTwice !== null && (options.deliverTwice ?? source.deliveredTwice(seed, day));
  const names = [`${source.name}-${date}.csv`, ...(again ? [`${source.name}-${date}-again.csv`] : [])];
  const folder = join(options.into, 'landing', source.name, date);

  await using file = await LandingFile.open(options.into, names[0]!);
  const writer = new DayWriter({
    source,
    seed,
    rows: options.rows,
    day,
    days: new Set(days),
    placement: new Placement(source, seed, options.rows, shares),
    endOfLine: crlf ? '\r\n' : '\n',
    deliveries: names.length,
  });
  file.add((bom ? byteOrderMark : '') + source.columns.join(',') + (crlf ? '\r\n' : '\n'));
  const tally = await writer.writeTo(file, (rows) => {
    options.signal?.throwIfAborted();
    options.onProgress?.({ date, rows, of: options.rows });
  });
  await file.flush();

  const truth: Truth = {
    source: source.name,
    seed: options.seed,
    rows: options.rows,
    date,
    dates: days.map(dateText),
    files: names,
    bom,
    crlf,
    dirt: sorted(tally.dirt),
    account: tally.total(),
    reasons: sorted(tally.reasons),
  };
  const truthPath = join(folder, `${source.name}-${date}.truth.json`);
  const paths = names.map((name) => join(folder, name));
  await writeWhole(truthPath, `${JSON.stringify(truth, null, 2)}\n`);
  await file.moveTo(paths);
  return { date, paths, truthPath, bytes: file.bytes, truth };
}

function sharesOf(source: Source, options: GenerateOptions): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  const kinds = [...source.blemishes, ...source.repeats, ...source.echoes];
  for (const kind of kinds) {
    const share = options.dirtShare ?? defaultShare;
    shares.set(kind.name, 'optIn' in kind ? 0 : share);
  }
  for (const [name, share] of Object.entries(options.dirt ?? {})) {
    if (!shares.has(name))
      throw new RangeError(
        `${source.name} has no kind of dirt called ${JSON.stringify(name)}. Known: ${[...shares.keys()].join(', ')}.`,
      );
    if (!(share >= 0 && share <= 1))
      throw new RangeError(`Expected a share between 0 and 1 for ${name}, found ${share}.`);
    shares.set(name, share);
  }
  return shares;
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
