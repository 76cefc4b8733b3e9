import { z } from 'zod';
import { BadCall } from '../replay.ts';
import type { Settings } from './world.ts';

const LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const environment = z.object({
  TOLLGATE_KEY: z.string().min(1).optional(),
  TOLLGATE_LOG_LEVEL: z.enum(LEVELS).default('info'),
});

/** Reads the environment, every fault of it at once. @throws BadCall */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environment.safeParse(variables);
  if (!parsed.success) throw new BadCall(`the environment: ${z.prettifyError(parsed.error)}`);
  return { key: parsed.data.TOLLGATE_KEY, logLevel: parsed.data.TOLLGATE_LOG_LEVEL };
}
