import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_TYPE, Problem, type ProblemCode, problemBody, retryAfterSeconds } from './problems.ts';

const CODES: ReadonlyMap<string, ProblemCode> = new Map<string, ProblemCode>([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_UNDER_PRESSURE', 'overloaded'],
]);

/** Turns whatever ended a request into its answer. What nobody foresaw is logged whole, and told to nobody. */
export function toProblem(fault: FastifyError | Problem): Problem {
  if (fault instanceof Problem) return fault;
  const code = CODES.get(fault.code);
  if (code === 'overloaded')
    return new Problem(code, 'the process is too busy to answer in time', 1000, { cause: fault });
  if (code !== undefined) return new Problem(code, fault.message, undefined, { cause: fault });
  const status = fault.statusCode ?? 500;
  if (status >= 400 && status < 500) return new Problem('bad_request', fault.message, undefined, { cause: fault });
  return new Problem('internal', 'the fault was logged', 1000, { cause: fault });
}

export function answerProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.code === 'internal' || problem.code === 'log_failed') {
    request.log.error({ err: problem.cause, code: problem.code }, problem.message);
  }
  if (problem.retryAfterMs !== undefined) reply.header('retry-after', retryAfterSeconds(problem.retryAfterMs));
  if (problem.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="tollgate"');
  if (problem.code === 'unsupported_media_type') reply.header('accept-encoding', 'gzip');
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(problem.code, problem.message)));
}
