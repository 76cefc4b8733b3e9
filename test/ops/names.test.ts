import { expect, test } from 'vitest';
import { readRepoFile, repoFiles } from '../house/repo.ts';
import { ruleExpressions } from './support/alerts.ts';
import { readDashboard } from './support/dashboard.ts';
import { allMetrics, seriesIn, seriesOf } from './support/metrics.ts';

const metrics = allMetrics();
const series = new Set(metrics.flatMap(seriesOf));
/** Labels whose values have no bound, or would be secrets. */
const UNBOUNDED = ['account', 'account_id', 'cluster', 'cluster_id', 'event', 'id', 'key', 'sender'];

test('ops: every metric is told as what it is: help, base units, `_total` for what only rises', () => {
  expect(metrics.length).toBeGreaterThan(20);
  for (const { name, help, type, labels } of metrics) {
    expect(name).toMatch(/^tollgate_[a-z]+(_[a-z]+)+$/);
    expect(help.length, name).toBeGreaterThan(20);
    expect(help, name).not.toMatch(/\.$/);
    expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'Counter');
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/);
    if (type === 'Histogram') expect(name).toMatch(/_(seconds|bytes|events)$/);
    expect(
      labels.filter((label) => UNBOUNDED.includes(label)),
      name,
    ).toEqual([]);
  }
});

test('ops: alerts and dashboard ask for series that there are, and every metric is on the dashboard or in an alert', () => {
  const asked = [
    ...ruleExpressions(),
    ...readDashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ].flatMap(seriesIn);
  const recorded = new Set(['tollgate_rater_watermark_age_seconds', 'tollgate_enforcer_watermark_age_seconds']);
  expect(asked.filter((name) => !series.has(name) && !recorded.has(name))).toEqual([]);
  const unused = metrics.filter((metric) => !seriesOf(metric).some((name) => asked.includes(name)));
  expect(unused.map(({ name }) => name)).toEqual([]);
});

test('ops: pages name metrics that there are, and OPERATIONS names them all', () => {
  const pages = repoFiles().filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path));
  const names = new Set(metrics.map(({ name }) => name));
  for (const page of pages) {
    for (const [named] of readRepoFile(page).matchAll(
      /\btollgate_(?:consumer|enforcer|group|ingest|log|partition|rater|state)_[a-z_]*[a-z]/g,
    )) {
      const known = series.has(named) || [...names].some((name) => name === named || name.startsWith(`${named}_`));
      expect(known, `${page}: ${named}`).toBe(true);
    }
  }
  const operations = readRepoFile('docs/OPERATIONS.md');
  expect([...names].filter((name) => !operations.includes(`\`${name}`))).toEqual([]);
});
