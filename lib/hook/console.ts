import type { HookParts } from './parts.js';
import { describeHook, readHealth } from './console-health.js';
import type { FoundUser, MadePayload, PayloadQuestion, UserQuestion } from '../console/api.js';
import { ConsoleRefusal } from '../console/refusal.js';
import { createConsoleServer } from '../console/server.js';
import { createStreams } from '../console/stream.js';
import { maskError } from '../core/masking.js';
import { refuseProblems } from '../core/option-rules.js';
import { shuttingDown } from '../core/request-error.js';
import { VERSION } from '../core/version.js';
import type { ConsoleHandler, HookStatus } from './telephony-hook.js';
import { createHistory } from '../events/history.js';
import { watchLimits } from '../events/recent-limits.js';
import type { OktaApiClient } from '../okta/api-client.js';
import { makeSampleCall, readSampleUser, readUser } from '../okta/sample-call.js';
import type { ConsoleOptions } from '../options/options.js';
import { consoleProblems } from '../options/schema.js';
import { makeTestRequestId, runTest } from './tester.js';

/** What the consoles of a hook need from it. */
export interface ConsoleBase {
  readonly parts: HookParts;
  readonly status: () => HookStatus;
  /** Uses the hook's own credential. */
  readonly oktaClient: OktaApiClient;
}

/** Mounts `hook.console()`. The first call makes what all consoles share; the history begins then. */
export interface ConsoleMount {
  /** @throws ConfigurationError that names every problem of the options. */
  mount(options: ConsoleOptions): ConsoleHandler;
  /** Ends the streams that are open. A stream that is opened while the gateway drains ends after its first event. */
  endStreams(): void;
  /** Ends the streams at once, and the history after `drained`. Never rejects. */
  close(drained: Promise<unknown>): Promise<void>;
}

export function createConsoleMount(base: ConsoleBase): ConsoleMount {
  let consoles: ReturnType<typeof createConsoles> | undefined;
  let isClosed = false;
  return {
    mount: (options) => {
      refuseProblems(consoleProblems(options), 'hook.console');
      consoles ??= createConsoles(base);
      // After `close()` a new console must not keep anything open.
      if (isClosed) void consoles.close(Promise.resolve());
      const serve = consoles.open(options);
      return (req, res, next) => {
        base.parts.openAnswers.add(res);
        serve(req, res).catch(next);
      };
    },
    endStreams: () => {
      consoles?.endStreams();
    },
    close: async (drained) => {
      isClosed = true;
      await consoles?.close(drained);
    },
  };
}

/** The limit of reading a user, milliseconds. Only an administrator waits for it, no code. */
const USER_TIMEOUT_MS = 5_000;

/** The page shows the login before an administrator sends anything. */
const SHORT_TOO = { isShortAllowed: true } as const;

/** What all consoles of a hook share; `open` makes one of them. */
function createConsoles({ parts, status, oktaClient }: ConsoleBase) {
  const { settings, events } = parts;
  const keptHistory = createHistory({ log: settings.state.history, clock: settings.clock });
  const { history } = keptHistory;
  const limits = watchLimits(settings.clock);
  const health = () => readHealth(parts, { status, history, limits });
  const streams = createStreams({ history, health });

  const readOkta = async (path: string): Promise<unknown> => {
    const { body } = await oktaClient.request({ method: 'GET', path, timeoutMs: USER_TIMEOUT_MS });
    return body;
  };

  /** During a pause of Okta's rate limit, the rest of the limit is for sign-ins. */
  const requireOktaFree = (): void => {
    if (parts.underWay.isClosing) throw shuttingDown();
    const until = limits.oktaPause()?.untilMs;
    if (until === undefined) return;
    throw new ConsoleRefusal(
      'OKTA_RATE_LIMITED',
      `Okta's Users API is paused until ${new Date(until).toISOString()}, because of its rate limit.`,
      {
        remedy: 'Try again then. Until then, search by user id, and send an existing payload.',
        headers: { 'Retry-After': String(Math.ceil((until - settings.clock()) / 1000)) },
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
      orgUrl: settings.okta.orgUrl,
      nowMs: settings.clock(),
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
        about: () => describeHook(parts, history, options, VERSION),
        health,
        makePayload,
        sendPayload: (payload, sender) => runTest(payload, sender, parts),
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
