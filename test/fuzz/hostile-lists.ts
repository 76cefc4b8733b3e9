/** A value that is written as it stands, for what JSON.stringify would not write. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const INSTANTS: readonly unknown[] = [
  ...words('1970-01-01T00:00:00.000Z 1970-01-01T00:00:00.001Z 9999-12-31T23:59:59.999Z 10000-01-01T00:00:00.000Z'),
  ...words('1969-12-31T23:59:59.999Z 2026-02-30T00:00:00.000Z 2024-02-29T23:59:60.000Z 2026-05-04T10:00:00.000+24:00'),
  ...words('9999-12-31T23:59:59.999-00:01 1970-01-01T00:00:00.000+00:01 2026-05-04T10:00:00 2026-05-04_10:00:00Z'),
  ...['2026-05-04 10:00:00Z', '', `2026-05-04T10:00:00.${'9'.repeat(400)}Z`, 0, -0, -1, 1, 253_402_300_799_999],
  ...[253_402_300_800_000, 1.5, 2 ** 53, 1e21, new Raw('1e400'), new Raw('-0'), null, true, {}, []],
];
export const AMOUNTS: readonly unknown[] = [
  ...words('999999999999.999999999 0.000000001 0 0.000000000 000000000001 1000000000000 0.0000000001 12. .5 -1 +1'),
  ...words('1e5 1,5 NaN Infinity ٣ 999999999999.999999 0.000001 0.0000001 0x10 -0'),
  ...[' 1', '1 ', '1\u0000', '', 12, new Raw('1e400')],
];
export const INTEGERS: readonly unknown[] = [
  ...[0, 1, -1, 1024, 1025, 1_000_000, 1_000_001, 2 ** 40, 2 ** 40 + 1, 2 ** 53, 1.5, 1e308, '8', null, []],
  ...words('1e400 -1e400 1e-400 -0 1.0 1e3 12345678901234567890').map((text) => new Raw(text)),
];
export const DURATIONS: readonly string[] = [
  ...words('1m 60s 59s 5m 1h 72h 14d 36500d 36501d 999999s 999999h 0s -1m 1w 1e3s'),
  '',
];
export const TEXTS: readonly unknown[] = [
  ...words('__proto__ constructor toString valueOf a/b é \u202e \u2028 - . : null undefined 0 " \\ ../.. %00 %2f'),
  ...['', 'a b', '\u0000', '\ud800', '\udfff', '😀', '\n', '\r', '\ufeff'],
  ...['x'.repeat(128), 'x'.repeat(129), 'A'.repeat(256), 'A'.repeat(257)],
];
export const POLICY_MEMBERS: readonly string[] = [
  ...words('low_runway realert_after burst_decommission_after pause_after decommission_paused_after revoke_after'),
  ...words('decommission_revoked_after reservation_end_notices credit_expiry_notices resume_runway activity_window'),
  ...words('overdue_after stale_after no_such_member __proto__'),
];
/** Ids that are in order, and that an object would have as members of its own. */
export const IDS: readonly string[] = [...words('__proto__ constructor toString : . - 0 valueOf'), 'x'.repeat(128)];

function words(text: string): readonly string[] {
  return text.split(' ');
}
