import { createRequire } from 'node:module';
import { reportFailureOutsideCall, type HookParts } from './parts.js';
import { describeHook, readHealth } from './console-health.js';
import type { MadePayload, PayloadQuestion, TestResult } from '../console/api.js';
import { ConsoleRefusal } from '../console/refusal.js';
import { createConsoleServer } from '../console/server.js';
import { createStreams } from '../console/stream.js';
import type { HookEventListener } from '../core/events.js';
import { maskError } from '../core/masking.js';
import { RequestError } from '../core/errors.js';
import type { HookStatus } from './telephony-hook.js';
import { createHistory } from '../events/history.js';
import { watchLimits } from '../events/recent-limits.js';
import type { OktaApiClient } from '../okta/api-client.js';
import { makeSampleCall, readSampleUser } from '../okta/sample-call.js';
import type { ConsoleOptions } from '../options/options.js';
import { makeTestRequestId, runTest } from './tester.js';

/** The console over the parts of a hook. */

/** What it is made from. */
export interface ConsoleBase {
  readonly parts: HookParts;
  readonly status: () => HookStatus;
  /** By the hook's own credential. */
  readonly oktaClient: OktaApiClient;
}

/** What all consoles of a hook share. */
export interface Consoles {
  /** Hears of all that happens. */
  readonly listener: HookEventListener;
  /** One more of them. */
  open(options: ConsoleOptions): ReturnType<typeof createConsoleServer>;
  /** Ends what is open at once, and what is remembered once nothing more happens. Never rejects. */
  close(drained: Promise<unknown>): Promise<void>;
}

/** What reading a user may take, milliseconds: an administrator waits, and nobody's code does. */
const USER_TIMEOUT_MS = 5_000;

export function createConsoles({ parts, status, oktaClient }: ConsoleBase): Consoles {
  const { settings, events } = parts;
  const kept = createHistory({ log: settings.state.history, clock: settings.clock });
  const { history } = kept;
  const limits = watchLimits(settings.clock);
  const health = () => readHealth(parts, { status, history, limits });
  const streams = createStreams({ history, health });
  const version = readVersion();

  const ask = async (path: string): Promise<unknown> => {
    const { body } = await oktaClient.request({ method: 'GET', path, timeoutMs: USER_TIMEOUT_MS });
    return body;
  };

  /** What is left of the org's rate limit is for sign-ins. */
  const leaveOktaAlone = (): void => {
    const until = limits.oktaPausedUntil();
    if (until === undefined) return;
    throw new ConsoleRefusal(
      'OKTA_RATE_LIMITED',
      `Okta's Users API is not asked until ${new Date(until).toISOString()}, for its rate limit.`,
      {
        remedy: 'Generate again then, or send a payload that is there already.',
        headers: { 'Retry-After': String(Math.ceil((until - settings.clock()) / 1000)) },
      },
    );
  };

  const makePayload = async (question: PayloadQuestion): Promise<MadePayload> => {
    const { requestType, deliveryChannel } = question;
    if (parts.underWay.isClosing) throw new RequestError('CLOSING', 'This gateway is shutting down.');
    leaveOktaAlone();
    const user = await readSampleUser(ask, question.user);
    return makeSampleCall(user, {
      requestType,
      deliveryChannel,
      orgUrl: settings.okta.orgUrl,
      nowMs: settings.clock(),
      requestId: makeTestRequestId(),
    });
  };

  const sendPayload = async (payload: unknown): Promise<TestResult> => ({
    ...(await runTest(payload, parts)),
    deadlineMs: settings.deadlineMs,
  });

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

  return {
    listener: (event) => {
      limits.listener(event);
      return kept.listener(event);
    },
    open: (options) =>
      createConsoleServer({
        authorize: (req) => options.authorize(req),
        history,
        streams,
        about: () => describeHook(parts, history, options, version),
        health,
        makePayload,
        sendPayload,
        onAuthorizeFailed: reportFailureOutsideCall('authorize', parts),
        onFailed,
      }),
    close: async (drained) => {
      streams.close();
      await drained;
      await kept.close();
    },
  };
}

function readVersion(): string {
  // The package by its own name, wherever this file lies in it.
  const { version } = createRequire(import.meta.url)('okta-telephony-hook/package.json') as {
    version: string;
  };
  return version;
}
