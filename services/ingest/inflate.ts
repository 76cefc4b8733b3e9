import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Problem } from './problems.ts';

const gunzipAsync = promisify(gunzip);

/**
 * Unpacks gzip off the main thread and stops at the bound, so that a bomb costs no more than an honest body of that size.
 * @throws Problem `body_too_large` past `bytesMax`, `bad_request` if it is no whole gzip
 */
export async function inflate(packed: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await gunzipAsync(packed, { maxOutputLength: bytesMax });
  } catch (fault) {
    if (fault instanceof RangeError) {
      throw new Problem('body_too_large', `body: more than ${bytesMax} bytes once unpacked (inflated_bytes_max)`);
    }
    const why = fault instanceof Error ? fault.message : 'unknown';
    throw new Problem('bad_request', `body: Content-Encoding says gzip, but it is none: ${why}`);
  }
}
