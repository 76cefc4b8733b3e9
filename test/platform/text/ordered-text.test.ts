import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, encodeText, encodeTextUnlessUtf8 } from '../../../platform/text/ordered-text.ts';

const SEED = 20_261_102;
const HARD = '\u0000a\u007f\u0080\u07ff\u0800\ud7ff\ud800\udbff\udc00\udfff\ue000\ufffd\uffff'.split('');
const unit = fc.oneof(
  fc.constantFrom(...HARD),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);
const text = fc.array(unit, { maxLength: 8 }).map((units) => units.join(''));

it(`any text comes back, and texts are ordered as their bytes are (seed ${SEED})`, () => {
  const property = fc.property(text, text, (left, right) => {
    expect(decodeText(encodeText(left))).toBe(left);
    expect(Buffer.from(encodeTextUnlessUtf8(left))).toEqual(encodeText(left));
    const order = Math.sign(Buffer.compare(encodeText(left), encodeText(right)));
    expect(order).toBe(left < right ? -1 : left > right ? 1 : 0);
  });
  fc.assert(property, { seed: SEED, numRuns: 5000 });
});

it('every single code unit has bytes of its own, at most three', () => {
  const seen = new Set<string>();
  for (let code = 0; code <= 0xffff; code += 1) {
    const bytes = encodeText(String.fromCharCode(code));
    if (bytes.length > 3 || decodeText(bytes) !== String.fromCharCode(code)) expect.fail(`unit ${code}`);
    seen.add(bytes.toString('hex'));
  }
  expect(seen.size).toBe(0x10000);
});
