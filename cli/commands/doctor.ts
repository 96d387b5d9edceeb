import { pc } from '../colours.ts';
import { examine } from '../../workers/doctor.ts';
import { ExitError, type Cli } from '../cli.ts';
import { textTable } from '../text-table.ts';

const marks = { ok: pc.green('✓'), note: pc.yellow('!'), wrong: pc.red('✗') } as const;

export async function doctor(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
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
