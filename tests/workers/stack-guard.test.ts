import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { startGuarded, type GuardedChild } from '../../workers/stack/guarded-child.ts';
import { endProcess, identify, lives } from '../../workers/stack/process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot guard '));
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(script: string, graceMs = 5000): Promise<GuardedChild> {
  return startGuarded({
    name: 'It',
    command: '/bin/sh',
    args: ['-c', script],
    env: process.env,
    folder,
    logFile: join(folder, 'log'),
    stopSignal: 'TERM',
    graceMs,
  });
}

test.each([0, 3, 127])('the exit code %i of the program is the guard’s', async (code) => {
  const child = await start(`echo words with  spaces; exit ${code}`);
  expect(await child.exited).toEqual({ code, signal: null });
  expect(child.logTail()).toBe('words with spaces');
});

test('a guard never waits for a program that ended at once', async () => {
  for (let round = 0; round < 40; round++)
    expect(await (await start('exit 0')).exited).toEqual({ code: 0, signal: null });
});

test('a program killed by a signal is told from one that ended', async () => {
  const child = await start('kill -9 $$');
  expect(await child.exited).toEqual({ code: 137, signal: null });
});

test('a stopped program may end in order', async () => {
  const child = await start('trap "echo in order; exit 0" TERM; echo ready; while :; do sleep 0.05; done');
  await eventually('the trap', () => child.logTail() === 'ready' || null);
  await child.stop();
  expect(child.logTail()).toBe('ready\nin order');
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('one that does not listen is killed after its grace', async () => {
  const child = await start('trap "" TERM; echo ready; while :; do sleep 0.05; done', 300);
  await eventually('the trap', () => child.logTail() === 'ready' || null);
  await child.stop();
  expect(lives(child.program)).toBe(false);
  expect(lives(child.guard)).toBe(false);
});

test('a guard that is told to end passes it on', async () => {
  const child = await start('trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.05; done');
  await eventually('the trap', () => child.logTail() === 'ready' || null);
  process.kill(child.guard.pid, 'SIGTERM');
  expect(await child.exited).toEqual({ code: 7, signal: null });
});

test('the program’s standard input is empty and its log grows over starts', async () => {
  await (
    await start('cat; echo first')
  ).exited;
  const second = await start('echo second');
  await second.exited;
  expect(second.logTail()).toBe('second');
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('first\nsecond\n');
});

test('a process is not taken for another that has its id', async () => {
  const own = identify(process.pid)!;
  expect(lives(own)).toBe(true);
  const earlier = { ...own, started: 'long ago' };
  expect(lives(earlier)).toBe(false);
  await endProcess(earlier, 'SIGKILL', 10);
  expect(identify(2 ** 22 + 1)).toBeNull();
});
