import { Counter, type Registry } from 'prom-client';
import type { TickObserver } from './ticks.ts';

/** Where ticks that were not taken are told. */
interface TickLogger {
  warn(fields: object, message: string): void;
}

/** What the ticking tells of itself. */
export function tickMetrics(registry: Registry, logger: TickLogger): TickObserver {
  const ticks = new Counter({
    name: 'tollgate_ingest_ticks_total',
    help: 'Ticks of the clock sent to partitions, by outcome: taken, or missed because the log was busy or failed',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['taken', 'missed']) ticks.inc({ outcome }, 0);
  return {
    taken: () => ticks.inc({ outcome: 'taken' }),
    missed: (partition, why) => {
      ticks.inc({ outcome: 'missed' });
      logger.warn({ partition, ...(why === 'busy' ? { why } : { err: why }) }, 'a tick was not taken');
    },
  };
}
