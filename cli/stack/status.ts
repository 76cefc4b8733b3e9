import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { STACK_ERRORS, StackError, type StackErrorCode } from './errors.ts';

const identity = z.object({ pid: z.int(), startedAtTicks: z.int() });

const processStatus = z.object({
  name: z.string(),
  url: z.string(),
  /**
   * waiting (for an earlier stage) -> starting -> ready -> restarting -> starting -> ...; `keeps dying`: given up;
   * `ended`: it died and was not to be started again; stopped: it was told to.
   */
  state: z.enum(['waiting', 'starting', 'ready', 'restarting', 'keeps dying', 'ended', 'stopped']),
  /** The present process; null while there is none. */
  process: identity.nullable(),
  /** How often it was started again. */
  restarts: z.int(),
  /** How it ended last, or why it did not come up. */
  detail: z.string().nullable(),
  logFile: z.string(),
  /** How long it may take to end by SIGTERM, ms. */
  stopMs: z.number(),
});

const planStatus = z.object({
  supervisor: identity,
  state: z.enum(['starting', 'ready', 'stopping', 'stopped', 'failed']),
  /** Why it failed. */
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  /** In the order of the plan. */
  processes: z.array(processStatus),
});

/** What a supervisor says of one of its processes. */
export type ProcessStatus = z.infer<typeof processStatus>;
/** What a supervisor says of all. */
export type PlanStatus = z.infer<typeof planStatus>;

/** What the supervisor wrote last; undefined if none ever ran here. @throws StackError `stack_folder_invalid` */
export function readStatus(path: string): PlanStatus | undefined {
  return readJsonFile(path, planStatus);
}

/** A JSON file of that shape; undefined if there is none. @throws StackError `stack_folder_invalid` */
export function readJsonFile<Shape>(path: string, shape: z.ZodType<Shape>): Shape | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined;
    throw fault;
  }
  try {
    return shape.parse(JSON.parse(text));
  } catch (fault) {
    throw new StackError('stack_folder_invalid', path, fault);
  }
}

/** Writes a JSON file whole or not at all, for its owner's eyes only: environments may hold secrets. */
export function writeJsonFile(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  try {
    writeFileSync(part, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(part, path);
  } finally {
    rmSync(part, { force: true });
  }
}

/** The error that a supervisor wrote down. */
export function failureOf({ failure }: PlanStatus): StackError {
  const code = failure?.code ?? '';
  return new StackError(isCode(code) ? code : 'stack_start_failed', failure?.detail ?? 'no reason was written down');
}

function isCode(code: string): code is StackErrorCode {
  return code in STACK_ERRORS;
}
