import { Type } from '@fastify/type-provider-typebox';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '../problems.ts';

export const ID_PATTERN = '^[A-Za-z0-9._:-]{1,128}$';

export const id = (description: string) => Type.String({ pattern: ID_PATTERN, description });
export const instant = (description: string) =>
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$', format: 'date-time', description });
export const usd = (description: string) => Type.String({ pattern: '^-?\\d+\\.\\d{9}$', description });
export const unitPrice = (description: string) => Type.String({ pattern: '^\\d+\\.\\d{6}$', description });

/** RFC 9457. `code` is stable and may be programmed against; `detail` is for people. */
const problem = (codes: readonly ProblemCode[]) =>
  Type.Object(
    {
      type: Type.Literal('about:blank'),
      title: Type.String(),
      status: Type.Integer({ enum: [...new Set(codes.map((code) => PROBLEMS[code].status))] }),
      code: Type.String({ enum: [...codes] }),
      detail: Type.String(),
      remedy: Type.String(),
    },
    { additionalProperties: false },
  );

/** The answers of a route that did not do what was asked, by status, from the codes it may give. */
export function problemResponses(...codes: readonly ProblemCode[]): Record<number, object> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses: Record<number, object> = {};
  for (const [status, ofStatus] of byStatus) {
    responses[status] = {
      description: ofStatus.map((code) => `${code}: ${PROBLEMS[code].title}`).join('. '),
      content: { [PROBLEM_TYPE]: { schema: problem(ofStatus) } },
    };
  }
  return responses;
}

/** What every route behind a key may answer. */
export const GUARDED: readonly ProblemCode[] = [
  'bad_request',
  'unauthenticated',
  'rate_limited',
  'internal',
  'stopping',
  'overloaded',
];
