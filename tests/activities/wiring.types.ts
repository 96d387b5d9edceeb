import { dag } from '../../activities/index.ts';
import { takeIn, toTyped } from './shop.ts';

/** Wirings that must not compile; `tsc` checks the directives. */
export const wrong = dag('wrong', {}, ({ task }) => {
  const taken = task('ingest', takeIn, { input: null });
  // @ts-expect-error: the files are another table than the records.
  task('another_table', toTyped, { raw: taken.output.files });
  // @ts-expect-error: an input by a name the model does not read.
  task('another_name', toTyped, { records: taken.output.records });
  // @ts-expect-error: nothing is read.
  task('nothing', toTyped);
  // @ts-expect-error: a key is text.
  task('another_type', takeIn, { input: 7 });
  // @ts-expect-error: an output the task does not have.
  task('another_output', toTyped, { raw: taken.output.rows });
  task('right', toTyped, { raw: taken.output.records });
});
