import Table from 'cli-table3';
import { FAULT_KINDS } from './faults.ts';
import type { Verdict } from './judge.ts';
import type { FaultCounts, Inflicted } from './schedule.ts';

/** What was done, by kind and target: how often, of how many, and how many of these while another fault was open. */
export function faultTable(inflicted: readonly Inflicted[], wanted: FaultCounts): string {
  const table = new Table({
    head: ['fault', 'target', 'count', 'wanted', 'overlapped', 'mended in (s)'],
    style: PLAIN,
  });
  for (const kind of FAULT_KINDS) {
    const of = inflicted.filter((fault) => fault.kind === kind);
    const targets = [...new Set(of.map(({ target }) => target))].sort();
    if (targets.length > 1) {
      for (const target of targets) {
        const some = of.filter((fault) => fault.target === target);
        table.push(['', target, some.length, '', overlapped(some), seconds(some)]);
      }
    }
    table.push([kind, targets.length === 1 ? targets[0] : '', of.length, wanted[kind], overlapped(of), seconds(of)]);
  }
  const all = FAULT_KINDS.reduce((sum, kind) => sum + wanted[kind], 0);
  table.push(['all', '', inflicted.length, all, overlapped(inflicted), '']);
  return table.toString();
}

/** What was compared, and what does not hold. */
export function verdictText({ faults, figures }: Verdict): string {
  const table = new Table({ style: PLAIN });
  for (const [name, figure] of Object.entries(figures)) table.push([name, figure.toLocaleString('en')]);
  const verdict =
    faults.length === 0
      ? 'exactly once: the export of every partition is the replay of its log, byte for byte; all topics agree'
      : `DOES NOT HOLD:\n${faults.map((fault) => `- ${fault}`).join('\n')}`;
  return `${table.toString()}\n${verdict}`;
}

const PLAIN = { head: [], border: [] };

function overlapped(faults: readonly Inflicted[]): number {
  return faults.filter((fault) => fault.overlapped).length;
}

/** The least, the middle and the greatest. */
function seconds(faults: readonly Inflicted[]): string {
  const sorted = faults.map(({ tookMs }) => tookMs / 1000).sort((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return sorted.length === 0 ? '' : `${at(0)} / ${at(0.5)} / ${at(1)}`;
}
