import { expect, test } from 'vitest';
import { type Dashboard, readDashboard } from './support/dashboard.ts';
import { DATASOURCE, dashboardFaults } from './support/dashboard-rules.ts';

const dashboard = readDashboard();

test('ops: the dashboard is one that the dashboard-linter of Grafana lets pass', () => {
  expect(dashboard.panels.length).toBeGreaterThan(20);
  expect(dashboardFaults(dashboard)).toEqual([]);
});

test('ops: a dashboard that is badly made does not pass', () => {
  const spoilt: [string, (text: string) => string][] = [
    ['panel-units-rule', (text) => text.replace('"unit": "s"', '"unit": "seconds"')],
    ['panel-title-description-rule', (text) => text.replace('"title": "Lag"', '"title": ""')],
    ['panel-datasource-rule', (text) => text.replaceAll(`"uid": "${DATASOURCE}"`, '"uid": "prometheus-1"')],
    ['target-job-rule', (text) => text.replaceAll('job=~\\"$job\\", ', 'job=\\"rater\\", ')],
    ['target-instance-rule', (text) => text.replace(', instance=~\\"$instance\\"', '')],
    ['target-rate-interval-rule', (text) => text.replace('[$__rate_interval]', '[5m]')],
    [
      'target-counter-agg-rule',
      (text) => text.replace('rate(tollgate_rater_events_total', '(tollgate_rater_events_total'),
    ],
    ['template-job-rule', (text) => text.replace('"name": "job"', '"name": "kind"')],
    ['template-on-time-change-reload-rule', (text) => text.replace('"refresh": 2', '"refresh": 1')],
    ['uneditable-dashboard', (text) => text.replace('"editable": false', '"editable": true')],
    ['lies on', (text) => text.replace('"x": 12', '"x": 6')],
  ];
  const text = JSON.stringify(dashboard, undefined, 2);
  for (const [rule, spoil] of spoilt) {
    const bad: Dashboard = JSON.parse(spoil(text));
    expect(dashboardFaults(bad).join('\n'), rule).toContain(rule);
  }
});
