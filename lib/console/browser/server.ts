import type {
  About,
  ConsoleFailure,
  ExecutionPage,
  FoundUser,
  Health,
  LiftQuestion,
  MadePayload,
  PayloadQuestion,
  SendQuestion,
  TestResult,
  UserQuestion,
} from '../api.js';
import type { Execution, Flow, Timeline } from '../history/answers.js';
import type { LearnOverview } from '../../guard/learning-guard.js';
import { parseJson, textFieldOf } from '../../core/json.js';
import { queryOf, type HistoryFilter } from './routes.js';

/** The requests to the console's server, and its refusals. */

/** The answer is not 2xx, or there is none. */
export class ServerFailure {
  /** As the server says it; the code may be `UNREACHABLE`. */
  readonly error: ConsoleFailure['error'];

  constructor(error: ConsoleFailure['error']) {
    this.error = error;
  }
}

/** None of them rejects. */
type Answered<Answer> = Promise<Answer | ServerFailure>;

/** Called at each answer that says that the user is logged out, or no administrator. */
export function onLoggedOut(listener: () => void): void {
  logOut = listener;
}
let logOut: () => void = () => undefined;

export const readAbout = (): Answered<About> => ask('api/about');
export const readHealth = (): Answered<Health> => ask('api/health');
export const readLearning = (): Answered<LearnOverview> => ask('api/learning');
export const liftBlocks = (question: LiftQuestion): Answered<LearnOverview> =>
  ask('api/learning/lift', question);
export const readTimeline = (): Answered<Timeline> => ask('api/timeline');
export const readHistogram = (filter: Omit<HistoryFilter, 'from' | 'to'>): Answered<Timeline> =>
  ask(`api/histogram${queryOf({ ...filter })}`);
/** `from` by ISO 8601; the others are empty for all. */
export const readFlow = (question: Record<'from' | 'country' | 'provider', string>): Answered<Flow> =>
  ask(`api/flow${queryOf(question)}`);
export const findExecutions = (
  filter: HistoryFilter,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Answered<ExecutionPage> => ask(`api/executions${queryOf({ ...filter, before, limit: String(limit) })}`);
export const openExecution = (id: string): Answered<Execution> =>
  ask(`api/executions/${encodeURIComponent(id)}`);
export const makePayload = (question: PayloadQuestion): Answered<MadePayload> =>
  ask('api/tester/payload', question);
export const sendPayload = (question: SendQuestion): Answered<TestResult> => ask('api/tester/send', question);
export const findUser = (question: UserQuestion): Answered<FoundUser> => ask('api/user', question);

async function ask<Answer>(path: string, question?: object): Answered<Answer> {
  const answer = await call(path, question);
  if (answer instanceof ServerFailure) return answer;
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    // The page and its server come from one package, and `api.ts` is their contract.
    return body as Answer;
  }
  const error = isFailure(body) ? body.error : describeStatus(status);
  // A request that the server takes for one of another site's page says nothing about the login.
  if ((status === 401 || status === 403) && error.code !== 'CROSS_SITE') logOut();
  return new ServerFailure(error);
}

async function call(path: string, question?: object): Answered<{ status: number; body: unknown }> {
  try {
    const post = {
      method: 'POST',
      body: JSON.stringify(question),
      headers: { 'Content-Type': 'application/json' },
    };
    const response = await fetch(path, {
      ...(question === undefined ? {} : post),
      credentials: 'same-origin',
      cache: 'no-store',
      // The console redirects nowhere else: a redirect leads to the gateway's login.
      redirect: 'manual',
    });
    if (response.type === 'opaqueredirect') return { status: 401, body: undefined };
    // A proxy in front of the gateway may answer with its own page.
    return { status: response.status, body: parseJson(await response.text()) };
  } catch {
    return new ServerFailure({
      code: 'UNREACHABLE',
      message: 'The gateway does not answer.',
      remedy: 'Check that it runs and that this machine reaches it, then try again.',
    });
  }
}

function isFailure(body: unknown): body is ConsoleFailure {
  return ['message', 'code'].every((name) => textFieldOf(body, 'error', name) !== undefined);
}

function describeStatus(status: number): ConsoleFailure['error'] {
  const [message, remedy] =
    status === 401 || status === 403
      ? ['You are no longer logged in as an administrator.', 'Load the page again and log in.']
      : [`The gateway answered with status ${status}.`, "Look into the gateway's log."];
  return { code: `HTTP_${status}`, message, remedy };
}
