import type { Problem } from './contract.js';

/** An answer that is not a success. `problem.errors` names every broken rule and its place. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly problem: Problem;

  constructor(problem: Problem) {
    const errors = problem.errors.map(
      (error) => `\n  ${error.pointer ?? error.parameter ?? error.header ?? ''}: ${error.detail} (${error.code})`,
    );
    super(`${problem.status} ${problem.title}: ${problem.detail}${errors.join('')}`);
    this.status = problem.status;
    this.problem = problem;
  }
}

/** The problem that an answer is. What stands between the caller and the service may answer otherwise than in JSON. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
    return new ProblemError(JSON.parse(text) as Problem);
  }
  return new ProblemError({
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    detail: text.slice(0, 4000),
    instance: new URL(response.url).pathname,
    request_id: response.headers.get('x-request-id') ?? '',
    errors: [],
    more_errors: 0,
  });
}
