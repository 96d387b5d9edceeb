import { userInfo } from 'node:os';

/** Who gives a command, as the operating system has it. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container a user may have a number and no name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
