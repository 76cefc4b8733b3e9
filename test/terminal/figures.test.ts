import { describe, expect, test } from 'vitest';
import { ago, runway, span, usd } from '../../cli/terminal/figures.ts';

describe('what people read', () => {
  test.each([
    [0n, '$0.00'],
    [9_999_999n, '$0.00'],
    [-9_999_999n, '$0.00'],
    [-10_000_000n, '-$0.01'],
    [1_234_567_890_000_000n, '$1,234,567.89'],
    [-999_990_000_000n, '-$999.99'],
  ])('U2: %s nanos are %s, cut to cents towards zero', (amount, text) => {
    expect(usd(amount)).toBe(text);
  });

  test.each([
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m 00s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h 00m'],
    [86_399_999, '23h 59m'],
    [86_400_000, '1d 00h'],
  ])('%s ms are %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  test('C6: runway is balance by burn rate; without burn there is none to tell, without balance none is left', () => {
    expect(runway(5n, 0n)).toBe('-');
    expect(runway(0n, 5n)).toBe('none');
    expect(runway(-5n, 5n)).toBe('none');
    expect(runway(20_000_000_000n, 40_000_000_000n)).toBe('30m 00s');
    expect(runway(10n ** 20n, 1n)).toBe('> 999 d');
  });

  test('what is ahead of the clock that is looked at was just now', () => {
    expect(ago(2000, 1000)).toBe('0s ago');
  });
});
