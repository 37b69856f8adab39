import { randomUUID } from 'node:crypto';
import { callHttp, createAgent, type HttpResult } from '../../../http/call.js';
import { fieldOf, parseJson, textFieldOf } from '../../../core/json.js';
import { CHALLENGE_HEADER } from '../../../okta/event-hook.js';
import type { Time } from '../../../okta/admin/administration.js';
import { OKTA_WAITS_MS } from '../../../okta/reaction.js';
import { STATUS_PATH } from '../../../options/settings.js';
import { signWebhook } from '../../../channels/twilio/signature.js';
import type { HookVariables, Section } from '../variables.js';
import { fail, known, ok, once, restingOn, warn, type CheckGroup, type Finding } from '../finding.js';
import { CONNECT_TIMEOUT_MS } from '../../org.js';
import { eventSecretFinding, NOT_OURS, secretFinding, type SeeHeader } from './hook-secret.js';
import { describeUnreached } from './unreached.js';

/** The gateway, as Okta and Twilio call it: with what is no hook call, no event and no callback, so that nothing comes of it. */

interface HookParts {
  readonly time: Time;
  readonly callMs: number;
  /** The account's, by which Twilio signs; `undefined` where it is not known. */
  readonly authToken: string | undefined;
  /** Whether Twilio reports to the hook. */
  readonly hasCallbacks: boolean;
  readonly headerName: SeeHeader;
}

export interface HookExamination {
  readonly group: CheckGroup;
  /** What the hook says to whom it does not know. */
  readonly answer: () => Promise<HttpResult>;
}

/** Twilio has to be called in the rest of Okta's patience. */
const SLOW_MS = 1_000;

export function examineHook(section: Section<HookVariables>, parts: HookParts): HookExamination {
  const title = 'The hook';
  const variables = known('hook.variables', section.finding);
  const { value: hook } = section;
  if (hook === undefined) {
    const nothing: HttpResult = { kind: 'not-sent', reason: 'UNKNOWN' };
    return { group: { title, checks: [variables] }, answer: () => Promise.resolve(nothing) };
  }
  const { callMs, time } = parts;
  const dispatcher = createAgent(Math.min(CONNECT_TIMEOUT_MS, callMs));
  const call = (
    end: string,
    given: Partial<Pick<Parameters<typeof callHttp>[0], 'method' | 'headers' | 'body'>>,
  ) => {
    const { origin, pathname } = new URL(hook.url + end);
    const { method = 'POST', headers = {}, body = '' } = given;
    return callHttp({
      dispatcher,
      method,
      origin,
      path: pathname,
      headers: { accept: 'application/json', 'user-agent': 'okta-telephony-hook', ...headers },
      body: method === 'GET' ? undefined : body,
      timeoutMs: callMs,
    });
  };
  const first = once(async () => {
    const beganAt = time.now();
    const result = await call('', { headers: { 'content-type': 'application/json' }, body: '{}' });
    return { result, tookMs: time.now() - beganAt };
  });
  const answers = {
    name: 'hook.answers',
    look: once(async () => answersFinding(hook, (await first()).result)),
  };
  const later = restingOn(answers);
  const group = {
    title,
    checks: [
      variables,
      answers,
      later('hook.secret', () => secretFinding(hook, dispatcher, parts.headerName)),
      later('hook.time', async () => timeFinding((await first()).tookMs)),
      later('hook.events', async () => {
        const challenge = randomUUID();
        const headers = { [CHALLENGE_HEADER]: challenge };
        return challengeFinding(challenge, await call('/events', { method: 'GET', headers }));
      }),
      later('hook.event-secret', () => eventSecretFinding(hook, dispatcher, parts.headerName)),
      ...(parts.hasCallbacks
        ? [later('hook.callbacks', () => callbacksFinding(hook, parts.authToken, call))]
        : []),
    ],
    close: () => dispatcher.destroy(),
  };
  return { group, answer: async () => (await first()).result };
}

function answersFinding({ url }: HookVariables, result: HttpResult): Finding {
  const { host } = new URL(url);
  if (result.kind !== 'answered') {
    const { why, remedy } = describeUnreached(result.reason);
    return fail(`The gateway at ${host} could not be reached: ${why}.`, remedy);
  }
  const { status } = result;
  const isOurs = isOurError(result);
  if (status === 401 && isOurs)
    return ok(`The hook answers at ${host}, and refuses whoever does not prove to be Okta.`);
  if (isOurs && status === 503) {
    return fail(
      'The gateway is closing, or cannot check who calls it (503).',
      'Look at its log, and at whether it starts again.',
    );
  }
  if (isOurs && status === 400) {
    return fail(
      'The hook takes calls from anybody, and would send codes for them.',
      'See that nothing in between adds the secret to what it passes on, such as a proxy with credentials of its own.',
    );
  }
  return fail(`${host} answered ${status}: that is no telephony hook of this package.`, NOT_OURS);
}

function isOurError({ body }: { readonly body: string }): boolean {
  return typeof fieldOf(parseJson(body), 'error', 'errorSummary') === 'string';
}

function timeFinding(tookMs: number): Finding {
  const told = `It answered in ${Math.ceil(tookMs)} ms, over a new connection; Okta waits for ${OKTA_WAITS_MS / 1000} s`;
  if (tookMs < SLOW_MS) return ok(`${told}.`);
  const remedy =
    'Let the gateway run near Okta and Twilio and never sleep (serverless cold starts), and look at what stands in between.';
  if (tookMs < OKTA_WAITS_MS) return warn(`${told}, and sending comes on top.`, remedy);
  return fail(`${told}: it sends the code itself by then.`, remedy);
}

function challengeFinding(challenge: string, result: HttpResult): Finding {
  const isEchoed =
    result.kind === 'answered' &&
    result.status === 200 &&
    textFieldOf(parseJson(result.body), 'verification') === challenge;
  if (isEchoed)
    return ok('PUBLIC_URL + /events gives the challenge back by which Okta verifies an event hook.');
  const what = result.kind === 'answered' ? `answered ${result.status}` : `did not answer (${result.reason})`;
  return fail(
    `PUBLIC_URL + /events ${what}, and not with the challenge: Okta could not verify the event hook.`,
    'See that a proxy in between passes on what is below the path, GET too, with the header X-Okta-Verification-Challenge.',
  );
}

async function callbacksFinding(
  { url }: HookVariables,
  authToken: string | undefined,
  call: (end: string, given: { headers: Record<string, string>; body: string }) => Promise<HttpResult>,
): Promise<Finding> {
  // Of no message, so that nothing is recorded of it; and not empty, so that the body counts.
  const params = { AccountSid: 'doctor' };
  const post = async (signature?: string): Promise<string> => {
    const result = await call(STATUS_PATH, {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(signature === undefined ? {} : { 'x-twilio-signature': signature }),
      },
      body: new URLSearchParams(params).toString(),
    });
    return result.kind === 'answered' ? String(result.status) : result.reason;
  };
  const unsigned = await post();
  if (unsigned === '404') {
    return fail(
      "The gateway has no route for Twilio's callbacks: a failure after acceptance is learnt late or never.",
      'Give the gateway PUBLIC_URL and TWILIO_AUTH_TOKEN (options publicUrl and credentials.twilio.authToken); see that a proxy passes on what is below the path.',
    );
  }
  if (unsigned !== '403') {
    return fail(
      `PUBLIC_URL + ${STATUS_PATH} answered ${unsigned} to a callback without a signature, in place of 403.`,
      NOT_OURS,
    );
  }
  if (authToken === undefined) {
    return warn(
      'It refuses callbacks without a signature; whether it takes those of Twilio was not tried.',
      'Set TWILIO_AUTH_TOKEN, by which Twilio signs.',
    );
  }
  const signed = await post(signWebhook({ authToken, url: url + STATUS_PATH, params }));
  if (signed === '204')
    return ok('It takes callbacks that are signed by TWILIO_AUTH_TOKEN for PUBLIC_URL, and no others.');
  return fail(
    `It answered ${signed} to a callback that TWILIO_AUTH_TOKEN has signed for PUBLIC_URL, in place of 204: its own URL or token is another.`,
    "Give the gateway the same PUBLIC_URL, to the letter, and the account's primary auth token.",
  );
}
