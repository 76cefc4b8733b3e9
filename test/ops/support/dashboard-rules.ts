import type { Dashboard, Panel } from './dashboard.ts';

/** Units of Grafana that this dashboard may use. */
const UNITS = new Set(['none', 'short', 's', 'bytes', 'cps', 'reqps', 'percentunit']);
/** The variable that names the data source, as Grafana writes it. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own form
export const DATASOURCE = '${datasource}';
const WITHOUT_QUERIES = new Set(['row', 'text']);

/** What Grafana's dashboard-linter would find, by its names of rules; and panels that lie on one another. */
export function dashboardFaults(dashboard: Dashboard): string[] {
  const faults: string[] = [];
  if (dashboard.editable) faults.push('uneditable-dashboard: it is editable');
  faults.push(...templateFaults(dashboard));
  const shown = dashboard.panels.filter(({ type }) => !WITHOUT_QUERIES.has(type));
  for (const panel of shown) faults.push(...panelFaults(panel).map((fault) => `${panel.title}: ${fault}`));
  for (const [index, panel] of dashboard.panels.entries()) {
    const under = dashboard.panels.slice(index + 1).find((other) => overlap(panel, other));
    if (under !== undefined) faults.push(`${panel.title}: lies on ${under.title}`);
    if (dashboard.panels.findIndex(({ id }) => id === panel.id) !== index)
      faults.push(`${panel.title}: id ${panel.id} twice`);
  }
  return faults;
}

function templateFaults({ templating }: Dashboard): string[] {
  const faults: string[] = [];
  const source = templating.list.find(({ type }) => type === 'datasource');
  if (source?.name !== 'datasource' || source.label !== 'Data source' || source.query !== 'prometheus')
    faults.push('template-datasource-rule: no variable `datasource` of Prometheus, labelled `Data source`');
  for (const name of ['job', 'instance']) {
    const found = templating.list.find((variable) => variable.name === name);
    const fits =
      found?.type === 'query' && found.datasource?.uid === DATASOURCE && found.multi && found.allValue === '.+';
    if (!fits) faults.push(`template-${name}-rule: no multiple query variable \`${name}\` with all value .+`);
  }
  for (const { type, name, refresh } of templating.list) {
    if (type === 'query' && refresh !== 2) faults.push(`template-on-time-change-reload-rule: ${name}`);
  }
  return faults;
}

function panelFaults(panel: Panel): string[] {
  const faults: string[] = [];
  if (panel.title === '' || (panel.description ?? '') === '') faults.push('panel-title-description-rule');
  if (panel.datasource?.uid !== DATASOURCE) faults.push('panel-datasource-rule');
  if (!UNITS.has(panel.fieldConfig?.defaults.unit ?? '')) faults.push('panel-units-rule');
  const targets = panel.targets ?? [];
  if (targets.length === 0) faults.push('panel-no-targets-rule');
  for (const { expr, refId, datasource } of targets) {
    if (datasource.uid !== DATASOURCE) faults.push(`${refId}: panel-datasource-rule`);
    for (const [selector] of expr.matchAll(/(?<![\w:$])(?:tollgate|process|nodejs|up)\w*(?:\{[^}]*\})?/g)) {
      if (!selector.includes('job=~"$job"')) faults.push(`${refId}: target-job-rule: ${selector}`);
      if (!selector.includes('instance=~"$instance"')) faults.push(`${refId}: target-instance-rule: ${selector}`);
    }
    for (const [, range] of expr.matchAll(/\[([^\]]*)\]/g)) {
      if (range !== '$__rate_interval') faults.push(`${refId}: target-rate-interval-rule: ${range}`);
    }
    for (const found of expr.matchAll(/(\w*)\(?(?<![\w:])(\w+_total)\b/g)) {
      if (!['rate', 'irate', 'increase'].includes(found[1] ?? ''))
        faults.push(`${refId}: target-counter-agg-rule: ${found[2]}`);
    }
  }
  return faults;
}

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
