import { pc } from '../colours.ts';
import { examine } from '../../workers/doctor.ts';
import { ExitError, type Cli } from '../cli.ts';
import { policyDocument, policyHolders, type PolicyHolder } from '../../workers/permissions/policy.ts';
import { TerminalError } from '../../ports/errors.ts';
import { textTable } from '../text-table.ts';

const marks = { ok: pc.green('✓'), note: pc.yellow('!'), wrong: pc.red('✗') } as const;

interface DoctorOptions {
  readonly json?: boolean;
  /** True without a value. */
  readonly policy?: string | true;
}

function isHolder(given: string): given is PolicyHolder {
  return policyHolders.some((holder) => holder === given);
}

/** Prints what IAM takes, and looks at nothing. */
function printPolicy(cli: Cli, given: string | true): void {
  const holder = given === true ? 'worker' : given;
  const config = cli.config();
  if (!isHolder(holder) || config.engine !== 'aws')
    throw new TerminalError({
      place: '--policy',
      expected: `${policyHolders.join(', ')}, and engine aws`,
      found: `${holder}, and engine ${config.engine}`,
      remedy: 'Set engine = "aws" and aws.bucket, and name one of these.',
    });
  cli.print(JSON.stringify(policyDocument(config, holder), null, 2));
}

export async function doctor(cli: Cli, options: DoctorOptions): Promise<void> {
  if (options.policy !== undefined) return printPolicy(cli, options.policy);
  const config = cli.config();
  const findings = await examine(config, cli.inputs.env);
  const healthy = findings.every((finding) => finding.state !== 'wrong');
  if (options.json) cli.print(JSON.stringify({ ok: healthy, findings, settings: config.effective }));
  else {
    for (const { state, what, found, remedy } of findings) {
      cli.print(`${marks[state]} ${what}: ${found}`);
      if (remedy !== null) cli.print(`  ${pc.dim('→')} ${remedy}`);
    }
    const rows = config.effective.map(({ key, value, origin, about }) => [key, value, origin, pc.dim(about)]);
    cli.print(`\n${textTable(['SETTING', 'VALUE', 'FROM', ''], rows)}`);
  }
  if (!healthy) throw new ExitError(1);
}
