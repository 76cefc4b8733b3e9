import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { historyArbitrary } from '../histories/history.ts';
import { runModel } from './model.ts';

/** The model against itself: what the rules say of two histories that differ in a known way. */
const settings = { numRuns: 150, seed: 11 };

test('E3, R2: every usage line delivered twice changes nothing but the summary', () => {
  fc.assert(
    fc.property(historyArbitrary({ stepsMax: 12 }), ({ lines, until }) => {
      const twice = lines.flatMap((line) => (line.includes('"usage.') ? [line, line] : [line]));
      const [once, again] = [runModel(lines, until), runModel(twice, until)];
      for (const file of ['rated', 'ledger', 'balances', 'invoices'] as const) expect(again[file]).toEqual(once[file]);
      expect(again.summary.applied).toBe(once.summary.applied);
    }),
    settings,
  );
});

test('C1, C5, L7: ledger, balances, lines and invoices say the same', () => {
  const nanos = (text: string) => BigInt(text.replace('.', ''));
  fc.assert(
    fc.property(historyArbitrary({ stepsMax: 16 }), ({ lines, until }) => {
      const { ledger, balances, rated, invoices, summary } = runModel(lines, until);
      for (const { account_id, balance, granted, refunded, charged, expired } of balances) {
        const own = <T extends { account_id: string }>(rows: T[]) =>
          rows.filter((row) => row.account_id === account_id);
        const sum = (texts: string[]) => texts.reduce((total, text) => total + nanos(text), 0n);
        expect(sum(own(ledger).map((e) => e.amount))).toBe(nanos(balance));
        expect(nanos(granted) + nanos(refunded) - nanos(charged) - nanos(expired)).toBe(nanos(balance));
        const usage = own(ledger).filter((e) => e.kind === 'usage');
        expect(sum(own(rated).map((line) => line.amount))).toBe(-sum(usage.map((e) => e.amount)));
        expect(nanos(own(invoices).at(-1)?.closing_balance ?? '0.000000000')).toBe(nanos(balance));
      }
      expect(new Set(rated.map((line) => line.line_id)).size).toBe(rated.length);
      expect(summary.events).toBe(summary.applied + summary.duplicates + summary.rejected);
    }),
    settings,
  );
});

test('R4, R6, L9: the order in which nodes report moves labels between nodes, never the invoice', () => {
  const begin = 1_777_852_800_000;
  const sample = fc.record({
    from: fc.nat(600),
    lasts: fc.integer({ min: 1, max: 400 }),
    gpus: fc.integer({ min: 1, max: 8 }),
  });
  const reservation = fc.record({
    from: fc.nat(600),
    lasts: fc.integer({ min: 1, max: 600 }),
    gpus: fc.integer({ min: 1, max: 12 }),
  });
  const shuffled = fc.array(sample, { minLength: 2, maxLength: 8 }).chain((samples) => {
    const numbered = samples.map((s, node) => ({ ...s, node }));
    return fc.tuple(fc.constant(numbered), fc.shuffledSubarray(numbered, { minLength: numbered.length }));
  });
  const at = (minutes: number) => begin + minutes * 60_000;
  let count = 0;
  const line = (type: string, data: object, subject?: string) => {
    const envelope = { specversion: '1.0', id: `e${count++}`, source: 's', type, time: at(1500), data };
    return JSON.stringify(subject === undefined ? envelope : { ...envelope, subject });
  };
  fc.assert(
    fc.property(shuffled, fc.array(reservation, { maxLength: 3 }), ([samples, other], reservations) => {
      const head = [
        line('account.opened', {}, 'acme'),
        line('prices.published', { effective_from: begin, gpu_hour: { H100: '2.490001' } }),
        ...reservations.map(({ from, lasts, gpus }, n) => {
          const span = { starts_at: at(from + 400), ends_at: at(lasts + 1500) };
          const terms = {
            cluster_id: 'c1',
            gpu_type: 'H100',
            gpus,
            price_per_gpu_hour: '1',
            payment: 'upfront',
            overdraft: true,
          };
          return line('reservation.purchased', { reservation_id: `r${n}`, ...terms, ...span }, 'acme');
        }),
      ];
      const report = ({ from, lasts, gpus, node }: { from: number; lasts: number; gpus: number; node: number }) =>
        line(
          'usage.gpu',
          {
            cluster_id: 'c1',
            node_id: `n${node}`,
            gpu_type: 'H100',
            gpus,
            start: at(from + 400),
            end: at(from + 400 + lasts),
          },
          'acme',
        );
      const [one, two] = [samples, other].map((order) => runModel([...head, ...order.map(report)]));
      const invoice = (output: typeof one) =>
        output?.invoices.map((i) => ({ ...i, lines: i.lines.map((l) => JSON.stringify(l)).sort() }));
      expect(invoice(two)).toEqual(invoice(one));
      expect(two?.balances).toEqual(one?.balances);
      expect(one?.summary.rejected).toBe(0);
    }),
    settings,
  );
});
