import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { TerminalError } from '../../ports/errors.ts';

/** How to connect, from Temporal's standard environment and TOML profiles. For `Connection.connect` and `NativeConnection.connect` alike. */
export function temporalConnectOptions(
  env: NodeJS.ProcessEnv,
  profile: string | null,
): Required<Pick<ClientConnectConfig, 'namespace' | 'connectionOptions'>> {
  const variables = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  try {
    const config = loadClientConnectConfig({
      overrideEnvVars: variables,
      disableFile: !variables['TEMPORAL_CONFIG_FILE'] && profile === null,
      ...(profile === null ? {} : { profile }),
    });
    return { namespace: config.namespace ?? 'default', connectionOptions: config.connectionOptions };
  } catch (error) {
    throw new TerminalError(
      {
        expected:
          profile === null
            ? 'a valid Temporal configuration'
            : `the profile ${profile} in Temporal’s configuration file`,
        found: (error as Error).message,
        remedy:
          'Mend the file TEMPORAL_CONFIG_FILE names (or Temporal’s default one), or set TEMPORAL_ADDRESS.',
      },
      { cause: error },
    );
  }
}
