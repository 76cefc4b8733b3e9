import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAccount, encodeAccount, newAccount } from '../../services/enforcer/core/codec.ts';
import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import { AccountNotLoaded, TimeWentBack, UnreadableState, UpdateGap } from '../../services/enforcer/core/errors.ts';
import { commandLine } from '../../services/shared/contracts/command-line.ts';
import { HOUR_MS } from '../../services/shared/time.ts';
import { inputsOf } from './support/judge.ts';
import { Bench } from './support/run.ts';
import { histories } from './support/steps.ts';
import { type Input, T0, usd } from './support/world.ts';

const SEED = 90_210;
const RUNS = 100;

function linesOf(inputs: readonly Input[]): readonly string[] {
  const enforcement = new Enforcement(0);
  const lines: string[] = [];
  for (const input of inputs) enforcement.apply(input, (command) => lines.push(commandLine(command)));
  return lines;
}

function everyHistory(judge: (inputs: readonly Input[]) => void): void {
  const property = fc.property(histories(60), (history) => judge(inputsOf(history)));
  fc.assert(property, { seed: SEED, numRuns: RUNS });
}

describe(`L10: the same inputs give the same commands (seed ${SEED})`, () => {
  test('stored and read back after every input, partition and accounts', () => {
    everyHistory((inputs) => {
      const lines: string[] = [];
      let enforcement = new Enforcement(0);
      for (const input of inputs) {
        enforcement.apply(input, (command) => lines.push(commandLine(command)));
        const next = new Enforcement(0);
        next.putPartition(enforcement.encodePartition());
        for (const id of enforcement.accountIds()) next.putAccount(enforcement.encodeAccount(id));
        enforcement = next;
      }
      expect(lines).toEqual(linesOf(inputs));
    });
  });

  test('with only those accounts in memory that an input concerns or that are due', () => {
    everyHistory((inputs) => {
      const lines: string[] = [];
      const enforcement = new Enforcement(0);
      const stored = new Map<string, { readonly text: string; readonly dueAt: number | undefined }>();
      for (const input of inputs) {
        for (const [id, { text, dueAt }] of stored) {
          const concerned = input.kind === 'update' && input.accountId === id;
          if (concerned || (dueAt !== undefined && dueAt <= input.clock)) enforcement.putAccount(text);
        }
        enforcement.apply(input, (command) => lines.push(commandLine(command)));
        const dirty = new Set(enforcement.takeDirty());
        for (const id of [...enforcement.accountIds()]) {
          const text = enforcement.encodeAccount(id);
          expect(dirty.has(id) || stored.get(id)?.text === text).toBe(true);
          stored.set(id, { text, dueAt: enforcement.nextDueAt(id) });
          enforcement.evictAccount(id);
        }
      }
      expect(lines).toEqual(linesOf(inputs));
    });
  });

  test('each update delivered twice, and a watermark after every event', () => {
    everyHistory((inputs) => {
      const noisy = inputs.flatMap((input): readonly Input[] => {
        if (input.kind === 'update' && input.origin === 'instant') return [input, input];
        return [input, input, { kind: 'watermark', partition: 0, clock: input.clock, nextOffset: 0 }];
      });
      expect(linesOf(noisy)).toEqual(linesOf(inputs));
    });
  });

  test('what is stored reads back as it was', () => {
    everyHistory((inputs) => {
      const enforcement = new Enforcement(0);
      for (const input of inputs) enforcement.apply(input, () => undefined);
      for (const id of enforcement.accountIds()) {
        const text = enforcement.encodeAccount(id);
        expect(encodeAccount(decodeAccount(text))).toBe(text);
      }
    });
  });
});

describe('B1: what cannot be is an error with a name', () => {
  const first = inputsOf([])[0];

  test('B1: a gap in the updates stops the partition, a repeat changes nothing', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.charge(T0, usd(1));
    acme.charge(T0 + 1, usd(1));
    acme.charge(T0 + 2, usd(1));
    const [one, two, three] = bench.inputs;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three updates were made');
    const enforcement = new Enforcement(0);
    expect(() => enforcement.apply(two, () => undefined)).toThrow(UpdateGap);
    enforcement.apply(one, () => undefined);
    expect(() => enforcement.apply(three, () => undefined)).toThrow(UpdateGap);
    const before = enforcement.encodeAccount('acme');
    enforcement.apply(one, () => expect.unreachable());
    expect(enforcement.encodeAccount('acme')).toBe(before);
    enforcement.apply(two, () => undefined);
    enforcement.apply(three, () => undefined);
  });

  test('X: time does not go back; a watermark of before is passed over', () => {
    expect(first?.kind).toBe('watermark');
    const bench = new Bench();
    bench.until(T0 + HOUR_MS);
    bench.enforcement.apply({ kind: 'watermark', partition: 0, clock: T0, nextOffset: 0 }, () => undefined);
    expect(bench.enforcement.clock).toBe(T0 + HOUR_MS);
    expect(() => bench.world.customer('acme').charge(T0, usd(1))).toThrow(TimeWentBack);
  });

  test('an account that is due and was not put there is missed, not skipped', () => {
    const bench = new Bench();
    bench.world.customer('acme').runVolume(T0, 'v1', HOUR_MS);
    bench.world.customer('acme').charge(T0, usd(1));
    const text = bench.enforcement.encodeAccount('acme');
    bench.enforcement.evictAccount('acme');
    expect(bench.enforcement.hasAccount('acme')).toBe(false);
    const later = { kind: 'watermark', partition: 0, clock: T0 + 23 * HOUR_MS, nextOffset: 0 } as const;
    expect(() => bench.enforcement.apply(later, () => undefined)).toThrow(AccountNotLoaded);
    bench.enforcement.putAccount(text);
    expect(bench.enforcement.hasAccount('acme')).toBe(true);
  });

  test('stored state of another version, or broken, is not read', () => {
    const text = encodeAccount(newAccount('acme'));
    expect(decodeAccount(text)).toEqual(newAccount('acme'));
    expect(() => decodeAccount(text.replace('"version":1', '"version":2'))).toThrow(UnreadableState);
    expect(() => decodeAccount(text.slice(1))).toThrow(UnreadableState);
    expect(() => decodeAccount('{}')).toThrow(UnreadableState);
  });
});

test('state is bounded by resources: what is gone, idle and not ordered leaves nothing behind', () => {
  const bench = new Bench();
  const acme = bench.world.customer('acme');
  let at = T0;
  const sizes: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    acme.grant(at, `g${round}`, usd(50), at + 200 * HOUR_MS);
    acme.runVolume(at, `v${round}`, HOUR_MS);
    acme.runCluster(at, `c${round}`, new Map([['H100', 4]]), HOUR_MS);
    acme.reserve(at, {
      reservationId: `r${round}`,
      clusterId: `c${round}`,
      gpuType: 'H100',
      gpus: 2,
      startsAt: at,
      endsAt: at + 2 * HOUR_MS,
      charged: true,
    });
    acme.charge(at, usd(60));
    at += 30 * HOUR_MS;
    bench.world.advance(at);
    acme.confirm(at, 'cluster', `c${round}`);
    acme.confirm(at, 'volume', `v${round}`);
    acme.grant(at, `top${round}`, usd(30));
    acme.charge(at, usd(15));
    sizes.push(bench.enforcement.encodeAccount('acme').length);
  }
  expect(Math.max(...sizes.slice(20))).toBe(Math.max(...sizes.slice(0, 20)));
});
