import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avroType } from '../../../platform/registry/avro-type.ts';

const money = avroType('{"type":"bytes","logicalType":"decimal","precision":38,"scale":9}');
const LARGEST = 10n ** 38n - 1n;

describe('decimals', () => {
  test('every one of 38 digits comes back, in the fewest bytes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -LARGEST, max: LARGEST }), (value) => {
        expect(money.fromBuffer(money.toBuffer(value))).toBe(value);
      }),
    );
    const bytes = (value: bigint) => money.toBuffer(value).subarray(1).toString('hex');
    expect([0n, 127n, 128n, -1n, -128n, -129n].map(bytes)).toEqual(['00', '7f', '0080', 'ff', '80', 'ff7f']);
  });

  test('one digit more is refused, in writing and in reading', () => {
    expect(() => money.toBuffer(LARGEST + 1n)).toThrow('38 digits');
    const plain = avroType('"bytes"');
    const tooMuch = Buffer.from((LARGEST + 1n).toString(16), 'hex');
    expect(() => money.fromBuffer(plain.toBuffer(tooMuch))).toThrow('38 digits');
    expect(() => money.fromBuffer(plain.toBuffer(Buffer.alloc(17)))).toThrow('17 bytes');
  });

  test('what other writers send is read: more bytes than needed, none for zero', () => {
    const plain = avroType('"bytes"');
    expect(money.fromBuffer(plain.toBuffer(Buffer.from('ffffffff', 'hex')))).toBe(-1n);
    expect(money.fromBuffer(plain.toBuffer(Buffer.alloc(0)))).toBe(0n);
  });
});

describe('arrays', () => {
  const numbers = avroType('{"type":"array","items":"long"}');

  test('several blocks, also such as tell their size, are one array', () => {
    // 2 items, then -1 with a size, then the end
    expect(numbers.fromBuffer(Buffer.from('040204' + '010206' + '00', 'hex'))).toEqual([1, 2, 3]);
  });

  test('more items than the record has bytes are refused at once', () => {
    expect(() => numbers.fromBuffer(Buffer.from('8080808080808001', 'hex'))).toThrow(RangeError);
    const nulls = avroType('{"type":"array","items":"null"}');
    expect(() => nulls.fromBuffer(Buffer.from('808001808001808001808001', 'hex'))).toThrow(RangeError);
  });

  test('maps are not read, since avsc would lose a member named __proto__', () => {
    const map = avroType('{"type":"map","values":"string"}');
    expect(() => map.fromBuffer(Buffer.from('00', 'hex'))).toThrow(TypeError);
  });
});
