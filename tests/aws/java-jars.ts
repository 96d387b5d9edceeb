import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cached-folder.ts';
import { loggedBuild } from './logged-build.ts';
import { NoTestBedError, outputOf } from './needed-program.ts';

/** What lets Spark 3.5 read and write S3, with the smallest size each can have. */
const artifacts = [
  { name: 'org.apache.hadoop:hadoop-aws:3.3.4', file: 'hadoop-aws-3.3.4.jar', bytes: 900_000 },
  {
    name: 'com.amazonaws:aws-java-sdk-bundle:1.12.262',
    file: 'aws-java-sdk-bundle-1.12.262.jar',
    bytes: 200e6,
  },
];
const oldestJava = 17;
/** Hadoop 3.3 calls what Java 24 took away. */
const newestJava = 23;

async function requireJava(): Promise<void> {
  const home = process.env['JAVA_HOME'];
  const command = home === undefined ? 'java' : join(home, 'bin', 'java');
  const answer = await outputOf(command, ['-version']);
  const major = Number(/version "(\d+)/.exec(answer ?? '')?.[1]);
  if (major >= oldestJava && major <= newestJava) return;
  const found = answer === null ? 'does not run' : `is ${answer.split('\n')[0]}`;
  throw new NoTestBedError(`Java 17 is needed for Spark, and \`${command}\` ${found}`);
}

async function isWhole(folder: string): Promise<boolean> {
  const sizes = await Promise.all(
    artifacts.map(({ file }) =>
      stat(join(folder, file)).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  return artifacts.every(({ bytes }, index) => (sizes[index] ?? 0) >= bytes);
}

/** The folder with the jars that Spark needs for S3, in the user's cache; also makes sure of Java. */
export async function javaJars(cache: string, progress: (line: string) => void): Promise<string> {
  await requireJava();
  return await cachedFolder({
    name: 'jars',
    parent: cache,
    key: artifacts.map(({ name }) => name).join('\n'),
    isWhole,
    progress,
    build: async (building) => {
      if ((await outputOf('mvn', ['--version'])) === null)
        throw new NoTestBedError('Maven is needed to fetch the jars of Spark for S3, and `mvn` does not run');
      for (const { name } of artifacts)
        await loggedBuild({
          what: `Fetching ${name} with Maven`,
          command: 'mvn',
          args: [
            '--batch-mode',
            '--quiet',
            'org.apache.maven.plugins:maven-dependency-plugin:copy',
            `-Dartifact=${name}`,
            `-DoutputDirectory=${building}`,
          ],
          folder: building,
          progress,
        });
    },
  });
}
