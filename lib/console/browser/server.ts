import type {
  About,
  ConsoleFailure,
  ExecutionPage,
  Health,
  MadePayload,
  OpenedExecution,
  PayloadQuestion,
  SendQuestion,
  TestResult,
} from '../api.js';
import { queryOf, type HistoryFilter } from './routes.js';

/** What is asked of the server, and how it says no. */

/** An answer that is not 2xx, or none at all. */
export class ServerFailure extends Error {
  /** The server's, or `UNREACHABLE`. */
  readonly code: string;
  readonly remedy: string | undefined;
  /** Paths into what was sent. */
  readonly fields: readonly string[];

  constructor({ code, message, remedy, fields = [] }: ConsoleFailure['error']) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.fields = fields;
  }
}

export function readAbout(): Promise<About> {
  return ask<About>('api/about');
}

/** Whether the gateway knows this browser's user no more, or not as an administrator; `false` where nobody can say. */
export async function isShutOut(): Promise<boolean> {
  try {
    const { status } = await call('api/about');
    return status === 401 || status === 403;
  } catch {
    return false;
  }
}

export function readHealth(): Promise<Health> {
  return ask<Health>('api/health');
}

export function findExecutions(
  filter: HistoryFilter,
  page: { readonly before?: string | undefined; readonly limit: number },
): Promise<ExecutionPage> {
  return ask<ExecutionPage>(
    `api/executions${queryOf({ ...filter, before: page.before, limit: String(page.limit) })}`,
  );
}

export function openExecution(id: string): Promise<OpenedExecution> {
  return ask<OpenedExecution>(`api/executions/${encodeURIComponent(id)}`);
}

export function makePayload(question: PayloadQuestion): Promise<MadePayload> {
  return ask<MadePayload>('api/tester/payload', question);
}

export function sendPayload(question: SendQuestion): Promise<TestResult> {
  return ask<TestResult>('api/tester/send', question);
}

/** @throws ServerFailure */
async function ask<Answer>(path: string, question?: object): Promise<Answer> {
  const { status, body } = await call(path, question);
  if (status >= 200 && status < 300) {
    // The page and its server are of one package: `api.ts` is the contract of both.
    return body as Answer;
  }
  const error = isFailure(body) ? body.error : undefined;
  throw new ServerFailure(error ?? describeStatus(status));
}

async function call(path: string, question?: object): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(path, {
      ...(question === undefined
        ? {}
        : {
            method: 'POST',
            body: JSON.stringify(question),
            headers: { 'Content-Type': 'application/json' },
          }),
      credentials: 'same-origin',
      cache: 'no-store',
      // Nothing of the console's own is elsewhere: it is a login that people are led to.
      redirect: 'manual',
    });
    if (response.type === 'opaqueredirect') return { status: 401, body: undefined };
    const text = await response.text();
    return { status: response.status, body: parse(text) };
  } catch {
    throw new ServerFailure({
      code: 'UNREACHABLE',
      message: 'The gateway does not answer.',
      remedy: 'Check that it runs and that this machine reaches it, then try again.',
    });
  }
}

/** A proxy before the gateway may answer with a page of its own. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFailure(body: unknown): body is ConsoleFailure {
  return (
    typeof body === 'object' &&
    body !== null &&
    'error' in body &&
    typeof body.error === 'object' &&
    body.error !== null &&
    'message' in body.error &&
    'code' in body.error
  );
}

function describeStatus(status: number): ConsoleFailure['error'] {
  return status === 401 || status === 403
    ? {
        code: `HTTP_${status}`,
        message: 'The gateway does not take you for an administrator any more.',
        remedy: 'Load the page again and log in.',
      }
    : {
        code: `HTTP_${status}`,
        message: `The gateway answered with status ${status}.`,
        remedy: 'Look into its log.',
      };
}
