import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { filesOf, firstDifference, removeFolder, temporaryFolder } from '../../e2e/support/embedded.ts';
import { randomFrom } from '../../histories/random.ts';
import { type ChildInstance, runTollgate, startChild } from './child-instance.ts';
import { historyFeed, liveFeed } from './feeds.ts';
import { type Acknowledged, startLoad } from './load.ts';

export interface CrashPlan {
  readonly seed: number;
  readonly logTime: 'append' | 'event';
  /** How often the whole process is killed, and how often the engine's alone. */
  readonly kills: number;
  readonly engineKills: number;
  readonly tell?: (line: string) => void;
}

export interface CrashReport {
  readonly acknowledged: number;
  readonly events: number;
  readonly kills: number;
  readonly engineKills: number;
  /** Lines of the files that were compared. */
  readonly lines: Readonly<Record<string, number>>;
}

const RUN_MS_MIN = 50;
const RUN_MS_MAX = 4000;

/**
 * Runs a pipeline under load, kills it at random instants, starts it again each time, and looks at what is left in the end.
 * @throws Error naming the seed if something acknowledged is missing, or the export is not the replay of the log
 */
export async function crashRun(plan: CrashPlan): Promise<CrashReport> {
  const { seed, logTime, tell = () => undefined } = plan;
  const random = randomFrom(seed);
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const choices = randomFrom(seed + 1);
  const load =
    logTime === 'event'
      ? startLoad({ senders: 1, pauseMs: 20, next: historyFeed(seed, 10 * (plan.kills + plan.engineKills), choices) })
      : startLoad({ senders: 3, pauseMs: 5, next: liveFeed(choices, Date.now) });
  const killsInAll = plan.kills + plan.engineKills;
  let engineKills = plan.engineKills;
  let instance: ChildInstance | undefined;
  try {
    for (let left = killsInAll; left > 0; left -= 1) {
      instance ??= await startAndSend();
      await delay(random.int(RUN_MS_MIN, RUN_MS_MAX));
      const engineOnly = random.int(1, left) <= engineKills;
      if (engineOnly) {
        engineKills -= 1;
        await killEngine(instance);
      } else {
        await killProcess(instance, random.chance(0.5));
        instance = undefined;
      }
      const what = engineOnly ? 'engine' : 'process';
      tell(`${killsInAll - left + 1}/${killsInAll} ${what} killed, ${load.acknowledged.length} events acknowledged`);
    }
    instance ??= await startAndSend();
    await delay(1000);
    await load.stop();
    const report = await judge(folder, data, load.acknowledged);
    instance.kill('SIGTERM');
    const how = await instance.exited;
    if (how !== 'exit code 0') throw new Error(`it did not stop well (${how}):\n${instance.lastLines.join('\n')}`);
    await judge(folder, data, load.acknowledged); // of the stopped instance, too
    removeFolder(folder);
    return { ...report, kills: plan.kills, engineKills: plan.engineKills };
  } catch (fault) {
    instance?.kill('SIGKILL');
    throw new Error(`crash run of seed ${seed}, log time ${logTime}, in ${folder}: ${String(fault)}`, { cause: fault });
  }

  async function startAndSend(): Promise<ChildInstance> {
    const started = await startChild(data, ['--log-time', logTime]);
    load.sendTo({ url: started.url, key: readFileSync(join(data, 'operator.key'), 'utf8').trim() });
    return started;
  }
}

/** With `SIGKILL` to the parent alone the engine has to find out by itself; a machine that dies takes both. */
async function killProcess(instance: ChildInstance, engineToo: boolean): Promise<void> {
  const engine = instance.enginePid();
  instance.kill('SIGKILL');
  if (engineToo && engine !== undefined) process.kill(engine, 'SIGKILL');
  const how = await instance.exited;
  if (how !== 'SIGKILL') throw new Error(`it had ended before (${how}):\n${instance.lastLines.join('\n')}`);
}

async function killEngine(instance: ChildInstance): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const engine = instance.enginePid();
    if (engine !== undefined) {
      process.kill(engine, 'SIGKILL');
      return;
    }
    await delay(20);
  }
  throw new Error('the engine did not come back');
}

async function judge(
  folder: string,
  data: string,
  acknowledged: readonly Acknowledged[],
): Promise<Pick<CrashReport, 'acknowledged' | 'events' | 'lines'>> {
  const exported = join(folder, 'exported');
  const replayed = join(folder, 'replayed');
  const log = join(folder, 'log.ndjson');
  const { stdout: end } = await tollgate(['export', '--data', data, '--out', exported]);
  const { stdout: dump } = await tollgate(['log', 'dump', '--data', data, '--to', end.trim()]);
  writeFileSync(log, dump);
  await tollgate(['replay', log, '--out', replayed]);
  const lines = dump.split('\n');
  for (const { offset, id, source } of acknowledged) {
    const event: { id?: string; source?: string } = JSON.parse(lines[offset] ?? '{}');
    if (event.id !== id || event.source !== source) {
      throw new Error(`${source}/${id} was acknowledged at offset ${offset}, where the log has ${lines[offset]}`);
    }
  }
  const files = filesOf(replayed);
  const difference = firstDifference(filesOf(exported), files);
  if (difference !== undefined) throw new Error(`export and replay differ: ${difference}`);
  return {
    acknowledged: acknowledged.length,
    events: Number(end),
    lines: Object.fromEntries([...files].map(([name, text]) => [name, text.split('\n').length - 1])),
  };
}

async function tollgate(args: readonly string[]): Promise<{ readonly stdout: string }> {
  const { code, stdout, stderr } = await runTollgate(args);
  if (code !== 0) throw new Error(`tollgate ${args.join(' ')}: exit code ${code}: ${stderr}`);
  return { stdout };
}
