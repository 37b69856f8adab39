import type { IncomingMessage, ServerResponse } from 'node:http';
import { maskError } from '../core/masking.js';
import { refuseProblems } from '../core/option-rules.js';
import { shuttingDown } from '../core/request-error.js';
import { VERSION } from '../core/version.js';
import type { ConsoleOptions } from '../options/options.js';
import { consoleProblems } from './option-rules.js';
import type { LearnOverview } from '../guard/learning-guard.js';
import type {
  About,
  FoundUser,
  Health,
  LiftQuestion,
  MadePayload,
  PayloadQuestion,
  UserQuestion,
} from './api.js';
import type { ConsoleHook } from './console-hook.js';
import { createHistory } from './history/history.js';
import { watchLimits, WINDOW_SECONDS } from './recent-limits.js';
import { ConsoleRefusal } from './refusal.js';
import { makeSampleCall, readSampleUser, readUser } from './sample-call.js';
import { createConsoleServer } from './server.js';
import { createStreams } from './stream.js';
import { makeTestRequestId, runTest } from './tester.js';

type ServeConsole = (req: IncomingMessage, res: ServerResponse, next: (error: unknown) => void) => void;

/** Mounts `hook.console()`. The first call makes what all consoles share; the history begins then. */
export function createConsoleMount(hook: ConsoleHook) {
  let consoles: ReturnType<typeof createConsoles> | undefined;
  let isClosed = false;
  return {
    /** @throws ConfigurationError that names every problem of the options. */
    mount: (options: ConsoleOptions): ServeConsole => {
      refuseProblems(consoleProblems(options), 'hook.console');
      consoles ??= createConsoles(hook);
      // After `close()` a new console must not keep anything open.
      if (isClosed) void consoles.close(Promise.resolve());
      const serve = consoles.open(options);
      return (req, res, next) => {
        hook.addAnswer(res);
        serve(req, res).catch(next);
      };
    },
    /** Ends the streams that are open. A stream that is opened while the gateway drains ends after its first event. */
    endStreams: () => {
      consoles?.endStreams();
    },
    /** Ends the streams at once, and the history after `drained`. Never rejects. */
    close: async (drained: Promise<unknown>) => {
      isClosed = true;
      await consoles?.close(drained);
    },
  };
}

/** The page shows the login before an administrator sends anything. */
const SHORT_TOO = { isShortAllowed: true } as const;

/** What all consoles of a hook share; `open` makes one of them. */
function createConsoles(hook: ConsoleHook) {
  const { events, clock, historyLog, orgUrl, deadlineMs, readOkta } = hook;
  const keptHistory = createHistory({ log: historyLog, clock });
  const { history } = keptHistory;
  const limits = watchLimits(clock);

  const health = async (): Promise<Health> => {
    const at = clock();
    const deliveries = await history.tally(at - WINDOW_SECONDS * 1000);
    const ofHook = hook.health();
    return {
      at,
      ...ofHook,
      limits: { ...ofHook.limits, blocked: limits.blocked() },
      rejectedCalls: limits.rejectedCalls(),
      oktaPause: limits.oktaPause(),
      windowSeconds: WINDOW_SECONDS,
      deliveries,
    };
  };
  const streams = createStreams({ history, health });

  const describe = ({ links = [] }: ConsoleOptions): About => ({
    version: VERSION,
    ...hook.about(),
    deadlineMs,
    isShared: history.isShared,
    isLearning: hook.learning !== undefined,
    links: links.map(({ title, href }) => ({ title, href })),
  });

  const requireLearning = (): NonNullable<ConsoleHook['learning']> => {
    if (hook.learning !== undefined) return hook.learning;
    throw new ConsoleRefusal('NOT_FOUND', 'The guard does not learn.', { remedy: 'Set guard.learn.' });
  };
  const readLearning = async (): Promise<LearnOverview> => {
    const overview = await requireLearning().list();
    if (overview === undefined) throw stateLost();
    return overview;
  };
  const lift = async ({ country }: LiftQuestion, sender: string | undefined): Promise<LearnOverview> => {
    if (!(await requireLearning().lift(country, sender))) throw stateLost();
    return readLearning();
  };

  /** During a pause of Okta's rate limit, the rest of the limit is for sign-ins. */
  const requireOktaFree = (): void => {
    if (hook.isClosing()) throw shuttingDown();
    const until = limits.oktaPause()?.untilMs;
    if (until === undefined) return;
    throw new ConsoleRefusal(
      'OKTA_RATE_LIMITED',
      `Okta's Users API is paused until ${new Date(until).toISOString()}, because of its rate limit.`,
      {
        remedy: 'Try again then. Until then, search by user id, and send an existing payload.',
        headers: { 'Retry-After': String(Math.ceil((until - clock()) / 1000)) },
      },
    );
  };

  const makePayload = async (question: PayloadQuestion): Promise<MadePayload> => {
    const { requestType, deliveryChannel, locale } = question;
    requireOktaFree();
    const user = await readSampleUser(readOkta, question.user, SHORT_TOO);
    return makeSampleCall(user, {
      requestType,
      deliveryChannel,
      locale,
      orgUrl,
      nowMs: clock(),
      requestId: makeTestRequestId(),
    });
  };

  const findUser = async ({ user }: UserQuestion): Promise<FoundUser> => {
    requireOktaFree();
    return { id: (await readUser(readOkta, user, SHORT_TOO)).id };
  };

  const onFailed = (error: unknown): void => {
    events.emit({
      type: 'request.rejected',
      status: 500,
      code: 'INTERNAL_ERROR',
      fields: [],
      count: 1,
      reason: maskError(error, undefined),
    });
  };

  events.listen(limits.listener);
  events.listen(keptHistory.listener);
  return {
    open: (options: ConsoleOptions) =>
      createConsoleServer({
        authorize: (req) => options.authorize(req),
        history,
        streams,
        about: () => describe(options),
        health,
        learning: readLearning,
        lift,
        makePayload,
        sendPayload: (payload, sender) => runTest(payload, sender, hook),
        findUser,
        onAuthorizeFailed: (error) => {
          events.emitThrown({ extension: 'authorize', error, personal: undefined, call: undefined });
        },
        onFailed,
      }),
    endStreams: () => {
      streams.end();
    },
    close: async (drained: Promise<unknown>) => {
      streams.close();
      await drained;
      await keptHistory.close();
    },
  };
}

function stateLost(): ConsoleRefusal {
  return new ConsoleRefusal('STATE_UNREACHABLE', 'The state store does not answer.', {
    remedy: 'Check that Redis runs, then try again.',
  });
}
