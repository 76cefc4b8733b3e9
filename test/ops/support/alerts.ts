import { parse } from 'yaml';
import { readRepoFile } from '../../house/repo.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

interface Recording {
  readonly record: string;
  readonly expr: string;
}

const RULES = 'ops/prometheus/tollgate.rules.yml';

function allRules(): readonly (Alert | Recording)[] {
  const { groups }: { groups: readonly { readonly rules: readonly (Alert | Recording)[] }[] } = parse(
    readRepoFile(RULES),
  );
  return groups.flatMap(({ rules }) => rules);
}

export function readAlerts(): readonly Alert[] {
  return allRules().filter((rule) => 'alert' in rule);
}

/** The expressions of all rules, recording rules too. */
export function ruleExpressions(): readonly string[] {
  return allRules().map(({ expr }) => expr);
}
