import type { IncomingHttpHeaders } from 'node:http';
import type { BodyForm } from './core/read-body.ts';
import { inflate } from './inflate.ts';
import { Problem } from './problems.ts';

/** The media types of POST /v1/events, and how each holds its events. */
export const FORMS: ReadonlyMap<string, BodyForm> = new Map<string, BodyForm>([
  ['application/cloudevents+json', 'single'],
  ['application/json', 'single'],
  ['application/cloudevents-batch+json', 'batch'],
  ['application/x-ndjson', 'lines'],
]);

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/**
 * How the body holds its events, by its headers.
 * @throws Problem `unsupported_media_type` for another type or charset, and for CloudEvents' binary mode
 */
export function formOf(headers: IncomingHttpHeaders): BodyForm {
  const given = headers['content-type'] ?? '';
  const media = given.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const form = FORMS.get(media);
  if (form === undefined) throw unsupported(`Content-Type: ${media === '' ? 'missing' : `${media} is not read here`}`);
  const charset = CHARSET.exec(given)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    throw unsupported(`Content-Type: charset ${charset} is not read here, only utf-8`);
  }
  if (media === 'application/json' && headers['ce-specversion'] !== undefined) {
    throw unsupported('ce-* headers: the binary mode of CloudEvents is not read here, only the structured one');
  }
  return form;
}

/**
 * The body's bytes, unpacked.
 * @throws Problem `unsupported_media_type` for an encoding but gzip; `body_too_large`, `bad_request` from unpacking
 */
export async function unpack(headers: IncomingHttpHeaders, body: Buffer, bytesMax: number): Promise<Buffer> {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return body;
  if (encoding === 'gzip' || encoding === 'x-gzip') return await inflate(body, bytesMax);
  throw unsupported(`Content-Encoding: ${encoding} is not read here, only gzip`);
}

function unsupported(detail: string): Problem {
  return new Problem('unsupported_media_type', detail);
}
