import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { testUnless, type Skip } from './conformance.ts';
import type { OpenObjectStore } from './object-store/fixture.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function text(store: ObjectStore, key: string, from = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.get(key, { from })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of store.list(prefix)) found.push(object.key);
  return found;
}

async function* failing(part: string): AsyncIterable<Uint8Array> {
  yield bytes(part);
  throw new Error('the source broke off');
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What every object store promises. */
export function objectStoreConformance(
  name: string,
  open: OpenObjectStore,
  { skip = [] }: { readonly skip?: readonly Skip[] } = {},
): void {
  const test = testUnless(skip);
  describe(name, () => {
    test('an object is read back byte for byte, from any position', async () => {
      await using fixture = await open();
      const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
      const halves = async function* () {
        yield body.subarray(0, 1_234_567);
        yield body.subarray(1_234_567);
      };
      const info = await fixture.store.put('a/b.bin', halves());
      expect(info).toMatchObject({ key: 'a/b.bin', bytes: 3_000_000 });
      const read: Uint8Array[] = [];
      for await (const chunk of fixture.store.get('a/b.bin')) read.push(chunk);
      expect(Buffer.compare(Buffer.concat(read), body)).toBe(0);
      const tail: Uint8Array[] = [];
      for await (const chunk of fixture.store.get('a/b.bin', { from: 2_999_990 })) tail.push(chunk);
      expect(Buffer.concat(tail)).toEqual(body.subarray(2_999_990));
    });

    test('an empty object is an object', async () => {
      await using fixture = await open();
      await fixture.store.put('empty', new Uint8Array());
      expect(await fixture.store.head('empty')).toMatchObject({ bytes: 0 });
      expect(await text(fixture.store, 'empty')).toBe('');
    });

    test('the etag changes with the content, also when the length stays', async () => {
      await using fixture = await open();
      const first = await fixture.store.put('k', bytes('aaa'));
      const second = await fixture.store.put('k', bytes('bbb'));
      expect(second?.etag).not.toBe(first?.etag);
      expect((await fixture.store.head('k'))?.etag).toBe(second?.etag);
    });

    test('a put that breaks off leaves the old object and nothing new', async () => {
      await using fixture = await open();
      await fixture.store.put('k', bytes('old'));
      await expect(fixture.store.put('k', failing('new'))).rejects.toThrow('the source broke off');
      await expect(fixture.store.put('other', failing('new'))).rejects.toThrow('the source broke off');
      expect(await text(fixture.store, 'k')).toBe('old');
      expect(await keys(fixture.store, '')).toEqual(['k']);
    });

    test('a put is stopped by its signal and leaves nothing', async () => {
      await using fixture = await open();
      const abort = new AbortController();
      const endless = async function* () {
        for (;;) {
          yield bytes('more');
          abort.abort(new Error('enough'));
        }
      };
      await expect(fixture.store.put('k', endless(), { signal: abort.signal })).rejects.toThrow('enough');
      expect(await fixture.store.head('k')).toBeNull();
    });

    test('of twenty writers that want to be the first, one is', async () => {
      await using fixture = await open();
      const writers = Array.from({ length: 20 }, (_, at) =>
        fixture.store.put('k', bytes(`writer ${at}`), { ifAbsent: true }),
      );
      const won = (await Promise.all(writers)).flatMap((info, at) => (info === null ? [] : [at]));
      expect(won).toHaveLength(1);
      expect(await text(fixture.store, 'k')).toBe(`writer ${won[0]}`);
    });

    test('readers see one writer’s whole object while others replace it', async () => {
      await using fixture = await open();
      const body = (at: number) => String(at).repeat(200_000);
      await fixture.store.put('k', bytes(body(0)));
      const writing = Promise.all([1, 2, 3, 4, 5].map((at) => fixture.store.put('k', bytes(body(at)))));
      for (let reads = 0; reads < 10; reads += 1) {
        const seen = await text(fixture.store, 'k');
        expect(seen).toBe(body(Number(seen[0])));
      }
      await writing;
    });

    test('a listing holds exactly the keys under a prefix, in byte order', async () => {
      await using fixture = await open();
      const stored = [
        'a',
        'a-b',
        'a.csv',
        'b/a=1/x',
        'b/a=10/x',
        'b/a=1-/x',
        'b/a',
        'b-/x',
        'c/é',
        'c/z',
        'c/🙂',
        'c/\uffee',
      ];
      for (const key of stored) await fixture.store.put(key, bytes(key));
      expect(await keys(fixture.store, '')).toEqual(stored.toSorted(byBytes));
      expect(await keys(fixture.store, 'b/a=1')).toEqual(['b/a=1-/x', 'b/a=1/x', 'b/a=10/x']);
      expect(await keys(fixture.store, 'b/a=1/')).toEqual(['b/a=1/x']);
      expect(await keys(fixture.store, 'nothing/here')).toEqual([]);
    });

    test('any set of keys is listed in byte order under any prefix', async () => {
      const part = fc
        .stringMatching(/^[a-c%=+ .~-]{1,3}$/)
        .filter((one) => one !== '.' && one !== '..' && one !== '.tmp');
      const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.stringMatching(/^[a-c]{0,2}$/),
          async (wanted, prefix) => {
            // On a file system a key cannot also be the folder of another.
            const stored = wanted.filter((one) => !wanted.some((other) => other.startsWith(`${one}/`)));
            await using fixture = await open();
            for (const one of stored) await fixture.store.put(one, bytes(one));
            expect(await keys(fixture.store, prefix)).toEqual(
              stored.filter((one) => one.startsWith(prefix)).toSorted(byBytes),
            );
            for (const one of stored) expect(await text(fixture.store, one)).toBe(one);
          },
        ),
        { numRuns: 40 },
      );
    });

    test('a copy has the content of its source and is an object of its own', async () => {
      await using fixture = await open();
      await fixture.store.put('from', bytes('one'));
      expect(await fixture.store.copy('from', 'deep/to')).toMatchObject({ key: 'deep/to', bytes: 3 });
      await fixture.store.put('from', bytes('two'));
      expect(await text(fixture.store, 'deep/to')).toBe('one');
    });

    test('copying or reading what is not there says so', async () => {
      await using fixture = await open();
      await expect(fixture.store.copy('nowhere', 'to')).rejects.toThrow(TerminalError);
      await expect(text(fixture.store, 'nowhere')).rejects.toThrow(/nowhere.*expected an object; found none/);
      expect(await fixture.store.head('nowhere')).toBeNull();
    });

    test('removing takes away what is there and does not mind what is not', async () => {
      await using fixture = await open();
      await fixture.store.put('a/b/c', bytes('x'));
      await fixture.store.put('a/d', bytes('x'));
      await fixture.store.remove(['a/b/c', 'a/b/none', 'none']);
      expect(await keys(fixture.store, '')).toEqual(['a/d']);
      await fixture.store.put('a/b', bytes('a file where a folder was'));
      expect(await text(fixture.store, 'a/b')).toBe('a file where a folder was');
    });

    test('keys that lead out of the store are refused', async () => {
      await using fixture = await open();
      for (const key of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a/', 'a\0b', '\ud800']) {
        await expect(fixture.store.put(key, bytes('x')), JSON.stringify(key)).rejects.toThrow(TerminalError);
        await expect(fixture.store.head(key), JSON.stringify(key)).rejects.toThrow(TerminalError);
      }
      expect(() => fixture.store.location('../x')).toThrow(TerminalError);
    });
  });
}
