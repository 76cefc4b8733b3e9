import { z } from 'zod';

const LEVELS: ReadonlyMap<number, string> = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warning'],
  [50, 'error'],
  [60, 'fatal'],
]);

const entry = z.looseObject({ level: z.number(), msg: z.string().optional() });
const withMessage = z.looseObject({ message: z.string() });
/** What every line has, and nobody watching needs. */
const LEFT_OUT: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'msg']);

/** A line of pino's JSON as people read it: `warning: a tick was not taken (partition 0, why busy)`. */
export function logLine(json: string): string {
  const parsed = entry.safeParse(parse(json));
  if (!parsed.success) return json.trimEnd();
  const { level, msg } = parsed.data;
  const fields = Object.entries(parsed.data)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => `${name} ${text(value)}`);
  const tail = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  return `${LEVELS.get(level) ?? level}: ${msg ?? ''}${tail}`;
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const fault = withMessage.safeParse(value);
  return fault.success ? fault.data.message : JSON.stringify(value);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (fault) {
    if (fault instanceof SyntaxError) return undefined;
    throw fault;
  }
}
