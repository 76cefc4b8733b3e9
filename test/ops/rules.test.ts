import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ROOT } from '../house/repo.ts';
import { filledIn, readDashboard } from './support/dashboard.ts';
import { describeWithPromtool, promtool } from './support/promtool.ts';

const FOLDER = join(ROOT, 'ops', 'prometheus');

describeWithPromtool('ops: Prometheus itself', () => {
  it('takes the rules, and the example of a configuration', () => {
    expect(promtool(['check', 'rules', 'tollgate.rules.yml'], FOLDER)).toMatchObject({ code: 0 });
    expect(promtool(['check', 'config', 'prometheus.yml'], FOLDER)).toMatchObject({ code: 0 });
  });

  it('fires every alert when it should, and none for a healthy cluster', () => {
    const { code, said } = promtool(['test', 'rules', 'tollgate.rules.test.yml'], FOLDER);
    expect(said).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('understands every query of the dashboard', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-ops-'));
    try {
      const queries = readDashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr)));
      const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
      writeFileSync(join(folder, 'queries.yml'), stringify({ groups: [{ name: 'dashboard', rules }] }));
      expect(promtool(['check', 'rules', 'queries.yml'], folder)).toMatchObject({ code: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
