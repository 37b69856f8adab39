import { randomUUID } from 'node:crypto';
import type { HttpRequest, HttpResult } from '../../../core/http.js';
import { createAgent } from '../../../http/call.js';
import { textFieldOf } from '../../../core/json.js';
import { CHALLENGE_HEADER } from '../../../okta/event-hook.js';
import { markProbe, type MarkedCall } from '../../../okta/probe-mark.js';
import { OKTA_WAITS_MS } from '../../../core/time.js';
import { attemptQuery } from '../../../channels/twilio/status-callbacks.js';
import { STATUS_PATH } from '../../../options/settings.js';
import { signWebhook } from '../../../channels/twilio/signature.js';
import type { HookVariables, Section } from '../variables.js';
import { connectMsOf, checksOf, fail, ok, once, warn, unreachedFinding } from '../finding.js';
import type { CheckGroup, CheckTable, CheckTimes, Finding } from '../finding.js';
import { callServer, FIX_NOT_FOUND, isOurError } from '../../gateway-probe.js';
import { eventSecretFinding, NOT_OURS, secretFinding, type ReadHeaderName } from './hook-secret.js';

interface HookParts extends CheckTimes {
  /** The account's auth token, with which Twilio signs; `undefined` if it is not set. */
  readonly authToken: string | undefined;
  /** Whether Twilio reports to the hook. */
  readonly hasCallbacks: boolean;
  readonly headerName: ReadHeaderName;
}

/** A slower hook has too little left of Okta's three seconds to call a provider. */
const SLOW_MS = 1_000;

const CHECKS: CheckTable<ReturnType<typeof openHook>> = {
  answers: { run: async ({ hook, first }) => answersFinding(hook, (await first()).result) },
  secret: { run: ({ hook, secrets }) => secretFinding(hook, secrets) },
  time: { run: async ({ first }) => timeFinding((await first()).tookMs) },
  events: {
    async run({ call }) {
      const challenge = randomUUID();
      const headers = { [CHALLENGE_HEADER]: challenge };
      return challengeFinding(challenge, await call('/events', { method: 'GET', headers }, 'events'));
    },
  },
  'event-secret': { run: ({ hook, secrets }) => eventSecretFinding(hook, secrets) },
  callbacks: {
    isUsed: ({ parts }) => parts.hasCallbacks,
    run: ({ hook, parts, call }) => callbacksFinding(hook, parts.authToken, call),
  },
};

/**
 * The checks of the gateway. They call it as Okta and Twilio do, but with bodies that are no hook call, no event and no known
 * message, so that the gateway sends and stores nothing.
 */
export function examineHook(
  { finding, value: hook }: Section<HookVariables>,
  parts: HookParts,
): {
  readonly group: CheckGroup;
  /** The hook's answer to a caller without credentials. */
  readonly answer: () => Promise<HttpResult>;
} {
  const opened = hook && openHook(hook, parts);
  const nothing: HttpResult = { kind: 'not-sent', reason: 'UNKNOWN' };
  return {
    group: {
      title: 'The hook',
      checks: checksOf('hook', finding, opened, CHECKS),
      close: opened?.close,
    },
    answer: async () => (await opened?.first())?.result ?? nothing,
  };
}

function openHook(hook: HookVariables, parts: HookParts) {
  const { callMs, time } = parts;
  const dispatcher = createAgent(connectMsOf(callMs));
  const mark = (route: MarkedCall['route'], method = 'POST') =>
    markProbe(hook.secret, time.now(), { method, route });
  /** Calls a path below PUBLIC_URL. With a route the call is marked as a test call. */
  const call = (path: string, request: Omit<HttpRequest, 'url'>, route?: MarkedCall['route']) => {
    const marks = route === undefined ? {} : mark(route, request.method);
    const headers = { ...marks, ...request.headers };
    return callServer(dispatcher, { ...request, url: hook.url + path, headers }, callMs);
  };
  const first = once(async () => {
    const beganAt = time.now();
    // Without a mark: until the answer shows that the host is ours, nothing made with the secret goes there.
    const result = await call('', { json: {} });
    return { result, tookMs: time.now() - beganAt };
  });
  const secrets = { dispatcher, readHeaderName: parts.headerName, mark };
  return { hook, parts, secrets, call, first, close: () => dispatcher.destroy() };
}

function answersFinding({ url }: HookVariables, result: HttpResult): Finding {
  const { host } = new URL(url);
  if (result.kind !== 'answered') {
    return unreachedFinding(`The gateway at ${host} could not be reached`, result.reason);
  }
  const { status } = result;
  const isOurs = isOurError(result);
  if (status === 401 && isOurs)
    return ok(`The hook answers at ${host}, and refuses a caller without Okta's credentials.`);
  if (isOurs && status === 503) {
    return fail(
      'The gateway is closing, or cannot check who calls it (503).',
      'Look at its log, and at whether it starts again.',
    );
  }
  if (isOurs && status === 400) {
    return fail(
      'The hook accepts calls without credentials, and would send codes for anybody.',
      'Check that no proxy in between adds the secret to the calls that it passes on.',
    );
  }
  return fail(
    `${host} answered ${status}: that is no telephony hook of this package.`,
    status === 404 ? FIX_NOT_FOUND : NOT_OURS,
  );
}

function timeFinding(tookMs: number): Finding {
  const took = `The hook answered in ${Math.ceil(tookMs)} ms, over a new connection; Okta waits for ${OKTA_WAITS_MS / 1000} s`;
  if (tookMs < SLOW_MS) return ok(`${took}.`);
  const remedy =
    'Run the gateway near Okta and Twilio, avoid serverless cold starts, and check the proxies in between.';
  if (tookMs < OKTA_WAITS_MS) return warn(`${took}, and the time for sending is added.`, remedy);
  return fail(`${took}, and then sends the code itself.`, remedy);
}

function challengeFinding(challenge: string, result: HttpResult): Finding {
  const isEchoed =
    result.kind === 'answered' &&
    result.status === 200 &&
    textFieldOf(result.json, 'verification') === challenge;
  if (isEchoed)
    return ok('PUBLIC_URL + /events returns the challenge with which Okta verifies an event hook.');
  const what = result.kind === 'answered' ? `answered ${result.status}` : `did not answer (${result.reason})`;
  return fail(
    `PUBLIC_URL + /events ${what}, and not with the challenge: Okta could not verify the event hook.`,
    'Check that a proxy in between passes on every request below the path, also GET, with the header X-Okta-Verification-Challenge.',
  );
}

/** An attempt that no gateway has made. */
const NO_ATTEMPT = '00000000-0000-0000-0000-000000000000';

async function callbacksFinding(
  { url }: HookVariables,
  authToken: string | undefined,
  call: ReturnType<typeof openHook>['call'],
): Promise<Finding> {
  // Without a message id, so that the gateway records nothing. Not empty, so that the signature covers a body.
  const params = { AccountSid: 'doctor' };
  // With a query, as in the URL that Twilio gets: a proxy may take it away, and then no signature holds.
  const path = STATUS_PATH + attemptQuery(NO_ATTEMPT);
  const post = async (signature?: string): Promise<string> => {
    const headers = { 'x-twilio-signature': signature };
    const result = await call(path, { form: params, headers }, 'status');
    return result.kind === 'answered' ? String(result.status) : result.reason;
  };
  const unsigned = await post();
  if (unsigned === '404') {
    return fail(
      "The gateway has no route for Twilio's callbacks: it learns of a failure after acceptance late or never.",
      'Give the gateway PUBLIC_URL and TWILIO_AUTH_TOKEN (options publicUrl and credentials.twilio.authToken). Check that a proxy passes on every request below the path.',
    );
  }
  if (unsigned !== '403') {
    return fail(
      `PUBLIC_URL + ${STATUS_PATH} answered ${unsigned} to a callback without a signature, instead of 403.`,
      NOT_OURS,
    );
  }
  if (authToken === undefined) {
    return warn(
      'The gateway refuses callbacks without a signature. Doctor could not test whether it accepts those of Twilio.',
      'Set TWILIO_AUTH_TOKEN, with which Twilio signs.',
    );
  }
  const signed = await post(signWebhook({ authToken, url: url + path, params }));
  if (signed === '204')
    return ok('The gateway accepts callbacks signed with TWILIO_AUTH_TOKEN for PUBLIC_URL, and no others.');
  return fail(
    `The gateway answered ${signed} to a callback signed with TWILIO_AUTH_TOKEN for PUBLIC_URL, instead of 204: it has another URL or token, or a proxy changes the path or the query.`,
    "Give the gateway exactly the same PUBLIC_URL, and the account's primary auth token. Check that a proxy in between passes on path and query unchanged.",
  );
}
