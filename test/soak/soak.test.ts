import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeOnStack } from '../integration/support/components.ts';
import { FAULT_KINDS } from './faults.ts';
import { perKind } from './schedule.ts';
import { soak } from './soak.ts';
import { faultTable, verdictText } from './table.ts';

const SEED = 20260504;
const MINUTES = 60_000;

describeOnStack('a cluster under faults', () => {
  test(
    `L10: services killed and paused, broker, Redis, ClickHouse and registry killed, Redis rewound: the export of every partition is the replay of its log (seed ${SEED})`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tollgate-soak-'));
      const counts = perKind((kind) => (kind === 'kill a service' ? 4 : 1));
      const { inflicted, verdict, deaths } = await soak({
        ...{ folder, seed: SEED, counts, partitions: 4, services: { ingest: 1, rater: 2, enforcer: 1 } },
        ...{ accounts: 16, senders: 2, rate: 150, faultsMs: 10 * MINUTES, tell: () => undefined },
      });
      const told = verdict === undefined ? '' : `${faultTable(inflicted, counts)}\n${verdictText(verdict)}`;
      expect(verdict?.faults, `${told}\n${JSON.stringify(deaths)}\nin ${folder}`).toEqual([]);
      for (const kind of FAULT_KINDS)
        expect(inflicted.filter((fault) => fault.kind === kind).length).toBe(counts[kind]);
      expect(verdict?.figures['events acknowledged']).toBeGreaterThan(1000);
      expect(verdict?.figures['samples acknowledged']).toBeGreaterThan(20);
      rmSync(folder, { recursive: true, force: true });
    },
    20 * MINUTES,
  );
});
