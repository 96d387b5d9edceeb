/**
 * True when somebody names a Temporal server. The mere existence of Temporal's own configuration file is not enough:
 * a laptop whose default profile is the company's cloud should not run a demo there.
 */
export function temporalIsGiven(env: NodeJS.ProcessEnv, profile: string | null): boolean {
  return Boolean(env['TEMPORAL_ADDRESS'] || env['TEMPORAL_CONFIG_FILE'] || profile);
}
