import { Command, CommanderError } from 'commander';
import { withoutKeys } from '../door/hidden-keys.ts';
import { EXIT, reportOf } from '../failure.ts';
import { addBalance } from './balance.ts';
import { addCluster } from './cluster.ts';
import { addEnforcement } from './enforcement.ts';
import { addExport } from './export.ts';
import { addInvoice } from './invoice.ts';
import { addLog } from './log.ts';
import { addPublish } from './publish.ts';
import { addRedrive } from './redrive.ts';
import { addRelease } from './release.ts';
import { addReplay } from './replay.ts';
import { readSettings } from './settings.ts';
import { addStack } from './stack.ts';
import { addStart } from './start.ts';
import { addTail } from './tail.ts';
import { addVerify } from './verify.ts';
import type { World } from './world.ts';

/** What of a process the command needs. */
export interface Host extends Pick<World, 'stdin' | 'stdout' | 'stderr'> {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * The `tollgate` command: reads the arguments, runs what they ask for, and tells on stderr what went wrong.
 * @returns the exit code: 0 done, 1 failed, 2 a bad call
 */
export async function tollgate(host: Host): Promise<number> {
  // Whoever reads our output may stop reading, as `head` does: there is nothing more to say then. A terminal that was closed
  // (EIO) sends SIGHUP, which ends what runs in its own way.
  host.stdout.on('error', (fault: NodeJS.ErrnoException) => {
    if (fault.code !== 'EIO') host.exit(fault.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
  });
  try {
    const program = commands(worldOf(host));
    if (host.argv.length <= 2) {
      program.outputHelp({ error: true });
      return EXIT.badCall;
    }
    await program.parseAsync(host.argv);
    return EXIT.ok;
  } catch (fault) {
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? EXIT.ok : EXIT.badCall;
    const { text, exitCode } = reportOf(fault);
    host.stderr.write(`tollgate: ${withoutKeys(text)}\n`);
    return exitCode;
  }
}

/** Every command, in the order in which the help lists them. */
export function commands(world: World): Command {
  const program = new Command('tollgate')
    .description('Metering, rating and credit enforcement for GPU clouds')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(withoutKeys(text)),
    })
    .showHelpAfterError('(add --help for what this command takes)')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 a bad call. `tollgate help COMMAND` has examples.');
  const adders = [
    ...[addStart, addPublish, addBalance, addInvoice, addTail, addEnforcement, addRedrive],
    ...[addReplay, addLog, addExport, addVerify],
    ...[addStack, addCluster, addRelease],
  ];
  for (const add of adders) add(program, world);
  return program;
}

function worldOf(host: Host): World {
  const { stdin, stdout, stderr } = host;
  return {
    ...{ stdin, stdout, stderr },
    settings: readSettings(host.env),
    environment: host.env,
    now: Date.now,
    interruption: () => {
      const interrupted = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) host.once(signal, () => interrupted.abort());
      return interrupted.signal;
    },
  };
}
