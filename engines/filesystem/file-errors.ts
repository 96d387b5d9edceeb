import { RetryableError, TerminalError } from '../../ports/errors.ts';

function code(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return code(error) === 'ENOENT' || code(error) === 'ENOTDIR';
}

export function exists(error: unknown): boolean {
  return code(error) === 'EEXIST';
}

export function isNotEmpty(error: unknown): boolean {
  return code(error) === 'ENOTEMPTY' || exists(error);
}

/** Says in the product's terms what the operating system answered about `path`; anything unknown is passed through. */
export function fileError(error: unknown, path: string): unknown {
  const facts = (expected: string, found: string, remedy: string) => ({
    expected,
    found,
    remedy,
    place: path,
  });
  switch (code(error)) {
    case 'ENOENT':
      return new TerminalError(
        facts('an object', 'none', 'Check the key; list its folder to see what is there.'),
        { cause: error },
      );
    case 'EISDIR':
      return new TerminalError(facts('a file', 'a folder', 'Name a file inside it, or remove the folder.'), {
        cause: error,
      });
    case 'ENOTDIR':
      return new TerminalError(
        facts('a folder on the way to the object', 'a file', 'Choose another key, or remove the file.'),
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
      return new TerminalError(
        facts(
          'permission to read and write here',
          'permission denied',
          'Give the user the worker runs as access, then run again.',
        ),
        { cause: error },
      );
    case 'EROFS':
      return new TerminalError(
        facts(
          'a writable file system',
          'a read-only one',
          'Mount it writable or choose another root folder.',
        ),
        { cause: error },
      );
    case 'ENAMETOOLONG':
      return new TerminalError(facts('names of at most 255 bytes', 'a longer one', 'Shorten the key.'), {
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new RetryableError(
        facts('free space', 'a full disk', 'Free space on this file system; the attempt is tried again.'),
        { cause: error },
      );
    case 'EMFILE':
    case 'ENFILE':
      return new RetryableError(
        facts('a free file descriptor', 'too many open files', 'Raise the limit on open files (ulimit -n).'),
        { cause: error },
      );
    case 'EIO':
    case 'ESTALE':
      return new RetryableError(
        facts('a readable file system', 'an input/output error', 'Check the disk or the network mount.'),
        { cause: error },
      );
    case undefined:
    default:
      return error;
  }
}
