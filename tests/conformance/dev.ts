import { toSpark } from '../../engines/spark-sql/to-spark.ts';
import { openedEngine } from '../engines/duckdb/opened.ts';
import { openLocalSparkEngine } from '../engines/glue/local-spark.ts';
import { WarmSpark } from '../engines/glue/warm-spark.ts';
import { expressions, queries } from './corpus.ts';
import { hostileRows } from './random-rows.ts';
import { job } from '../ports/sql-engine/fixture.ts';
let seed = Number(process.argv[2] ?? 1);
const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
const inline = [hostileRows('t', 150, next), hostileRows('r', 90, next)];
const spark = await WarmSpark.open('/tmp/venv-dialect/bin/python');
const d = await openedEngine();
const c = await openLocalSparkEngine({ spark, translate: toSpark });
const plain = (_: string, v: unknown) =>
  typeof v === 'string' && /^-?[0-9]+[.][0-9]+$/.test(v) ? v.replace(/[.]?0+$/, '') : v;
const only = process.argv[3];
const all = [...expressions.map((e) => `select id, ${e} as c from t`), ...queries].filter(
  (q, i) => !only || (only.startsWith('/') ? new RegExp(only.slice(1)).test(q) : i >= Number(only)),
);
const t0 = Date.now();
async function ask(e: any, qs: string[]): Promise<any[]> {
  try {
    const m = (await e.run(job({ inline, measures: qs.map((sql, i) => ({ name: 'm' + i, sql })) }))).measures;
    return qs.map((_, i) => m['m' + i]);
  } catch (x: any) {
    if (qs.length === 1) return [x.message];
    const h = qs.length >> 1;
    return [...(await ask(e, qs.slice(0, h))), ...(await ask(e, qs.slice(h)))];
  }
}
for (let i = 0; i < all.length; i += 16) {
  const qs = all.slice(i, i + 16);
  const [a, b] = [await ask(d.engine, qs), await ask(c.engine, qs)];
  qs.forEach((q, j) => {
    const x = a[j],
      y = b[j];
    if (typeof x === 'string' || typeof y === 'string') {
      console.log(
        'ERR',
        q,
        '\n   D:',
        typeof x === 'string' ? x.slice(0, 300) : x.length,
        '\n   S:',
        typeof y === 'string' ? y.slice(0, 700) : y.length,
      );
      return;
    }
    const [p, r] = [x, y].map((rows: any[]) => rows.map((z) => JSON.stringify(z, plain)).sort());
    const dp = p!.filter((z) => !r!.includes(z)),
      dr = r!.filter((z) => !p!.includes(z));
    if (dp.length || dr.length || p!.length !== r!.length)
      console.log(
        'DIFF',
        q,
        dp.length,
        dr.length,
        '\n   D:',
        dp.slice(0, 4).join(' '),
        '\n   S:',
        dr.slice(0, 4).join(' '),
      );
  });
}
console.log('ms', Date.now() - t0);
await spark[Symbol.asyncDispose]();
await d[Symbol.asyncDispose]();
await c[Symbol.asyncDispose]();
process.exit(0);
