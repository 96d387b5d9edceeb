import { runByHand } from './run-by-hand.ts';
import type { ByHandOptions } from './run-by-hand.ts';

/** A process of its own for `runByHand`: its options as JSON in, milliseconds, peak memory and processor time as JSON out. */
const options = JSON.parse(process.argv[2]!) as ByHandOptions;
const elapsedMs = await runByHand(options);
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(
  JSON.stringify({ elapsedMs, peakBytes: maxRSS * 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }),
);
