import { isUtf8 } from 'node:buffer';
import type { CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { RecordScan, fieldText } from './csv-records.ts';

const maxHeaderBytes = 1 << 20;

export interface CsvHeader {
  readonly names: readonly string[];
  /** Bytes up to the first record, byte order mark included. */
  readonly bytes: number;
  /** Line on which the first record starts. */
  readonly firstLine: number;
}

function refuse(key: string, expected: string, found: string, remedy: string): never {
  throw new TerminalError({ expected, found, remedy, place: `${key}, line 1` });
}

function isUtf16(start: Buffer): boolean {
  return (
    start.length >= 2 &&
    ((start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff))
  );
}

function checkText(key: string, header: Buffer): void {
  if (isUtf16(header)) refuse(key, 'UTF-8 text', 'a UTF-16 byte order mark', 'Save the file as UTF-8.');
  const nul = header.indexOf(0);
  if (nul !== -1)
    refuse(key, 'a CSV file', `a binary file (NUL at byte ${nul})`, 'Deliver the file as UTF-8 CSV.');
  if (!isUtf8(header))
    refuse(
      key,
      'a header in UTF-8',
      'bytes that are not UTF-8',
      'Save the file as UTF-8; a compressed or binary file must be unpacked first.',
    );
}

/** The header within `start`; null when it goes on behind it. */
function parse(key: string, start: Buffer, atEnd: boolean): CsvHeader | null {
  const from = start.length >= 3 && start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;
  const scan = new RecordScan(true);
  let end = scan.advance(start, from, start.length);
  if (end === -1) {
    if (!atEnd) return null;
    if (start.length === from)
      refuse(
        key,
        'a CSV file with a header',
        'an empty file',
        'Deliver the file again, with its header line.',
      );
    scan.finish(start.length);
    end = start.length;
  }
  checkText(key, start.subarray(0, end));
  if (scan.broken)
    refuse(key, 'a header of well-formed CSV', 'misplaced or unclosed quotes', 'Correct the first line.');
  return {
    names: scan.fields.map((field) => fieldText(start, field)),
    bytes: end,
    firstLine: scan.innerLines + 2,
  };
}

/** First record of a CSV file. Throws TerminalError when there is none or it is not text. */
export async function readHeader(
  objects: ObjectStore,
  key: string,
  options: CallOptions = {},
): Promise<CsvHeader> {
  let start = Buffer.alloc(0);
  for await (const chunk of objects.get(key, options)) {
    start = Buffer.concat([start, chunk]);
    const header = parse(key, start, false);
    if (header !== null) return header;
    if (start.length > maxHeaderBytes) {
      checkText(key, start.subarray(0, 1024));
      refuse(
        key,
        `a header within ${maxHeaderBytes} bytes`,
        'no line end',
        'Check that this is a CSV file with one record per line.',
      );
    }
  }
  return parse(key, start, true)!;
}
