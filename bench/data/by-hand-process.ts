import { runByHand } from './run-by-hand.ts';
import type { ByHandOptions } from './run-by-hand.ts';

/** A process of its own for `runByHand`: its options as JSON in, milliseconds and peak memory as JSON out. */
const options = JSON.parse(process.argv[2]!) as ByHandOptions;
const elapsedMs = await runByHand(options);
console.log(JSON.stringify({ elapsedMs, peakBytes: process.resourceUsage().maxRSS * 1024 }));
