import { TestWorkflowEnvironment } from '@temporalio/testing';

// A program of its own: the server it starts writes to standard output, and the SDK's native part exists once per process.
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError('expected the folder to download into');
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir: folder } },
});
await environment.teardown();
