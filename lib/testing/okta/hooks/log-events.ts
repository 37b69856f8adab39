import { randomUUID } from 'node:crypto';
import { fieldOf, textFieldOf } from '../../../core/json.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { EmulatedUser } from '../users/users.js';

/** A person or thing in an event of the System Log. */
export interface LogParty {
  readonly id: string;
  /** E.g. `User`, `AuthenticatorEnrollment` or `MobilePhone`. */
  readonly type: string;
  readonly alternateId: string;
  readonly displayName: string;
}

/** An event of Okta's System Log: the useful fields. All others are there, too. */
export interface LogEvent {
  /** Identifies the event in every delivery. */
  readonly uuid: string;
  readonly published: string;
  readonly eventType: string;
  readonly actor: LogParty;
  readonly outcome: { readonly result: string; readonly reason: string | null };
  readonly target: readonly LogParty[];
  readonly debugContext: { readonly debugData: Readonly<Record<string, unknown>> };
  readonly [more: string]: unknown;
}

/** Options of an event about a user's code. */
export interface LogEventOptions {
  /** Default: `user.authentication.auth_via_mfa`, that a user signed in with a code. */
  readonly eventType?: string | undefined;
  /** Default: `SMS_FACTOR`. For calls Okta has `CALL_FACTOR`. */
  readonly factor?: string | undefined;
  /** Default: `SUCCESS`. For a wrong code Okta has `FAILURE`. */
  readonly result?: string | undefined;
  /** Default: for an enrollment the sentence with the factor, for a wrong code `INVALID_CREDENTIALS`, else none. */
  readonly reason?: string | undefined;
  /** Default: the user. An administrator can enroll a phone for a user. */
  readonly actor?: LogParty | undefined;
  readonly uuid?: string | undefined;
  readonly published?: Date | undefined;
}

export const SIGN_IN_EVENT = 'user.authentication.auth_via_mfa';
export const ENROLLMENT_EVENT = 'user.mfa.factor.activate';
export const HOOK_FAILED_EVENT = 'inline_hook.executed';

const SENTENCES: Readonly<Record<string, string>> = {
  [SIGN_IN_EVENT]: 'Authentication of user via MFA',
  [ENROLLMENT_EVENT]: 'Activate factor for user',
};

/** An event about a user, as Okta logs it. */
export function makeLogEvent(about: EmulatedUser, options: LogEventOptions, now: number): LogEvent {
  const { firstName, lastName } = about.profile;
  const displayName = `${String(firstName)} ${String(lastName)}`;
  const user = { id: about.id, type: 'User', alternateId: about.login, displayName };
  const { eventType = SIGN_IN_EVENT, factor = 'SMS_FACTOR', result = 'SUCCESS' } = options;
  const isEnrollment = eventType === ENROLLMENT_EVENT;
  const isSuccess = result === 'SUCCESS';
  const usualReason = isEnrollment ? `User set up ${factor} factor` : null;
  const reason = options.reason ?? (isSuccess ? usualReason : 'INVALID_CREDENTIALS');
  const requestId = `req${randomAlphanumeric(20)}`;
  return {
    uuid: options.uuid ?? randomUUID(),
    published: (options.published ?? new Date(now)).toISOString(),
    eventType,
    version: '0',
    displayMessage: SENTENCES[eventType] ?? eventType,
    severity: isSuccess ? 'INFO' : 'WARN',
    client: {
      userAgent: { rawUserAgent: 'Mozilla/5.0', os: 'Unknown', browser: 'UNKNOWN' },
      zone: 'null',
      device: 'Computer',
      id: null,
      ipAddress: '203.0.113.7',
      geographicalContext: null,
    },
    device: null,
    actor: partyOf(options.actor ?? user),
    outcome: { result, reason },
    // At a sign-in the user is the actor, at an enrollment the target.
    target: isEnrollment || options.actor !== undefined ? [partyOf(user)] : [],
    transaction: { type: 'WEB', id: requestId, detail: {} },
    debugContext: {
      debugData: {
        requestId,
        requestUri: '/idp/idx/challenge/answer',
        url: '/idp/idx/challenge/answer?',
        // An enrollment has its factor in the reason only.
        ...(isEnrollment ? {} : { factor }),
      },
    },
    legacyEventType: isEnrollment ? 'core.user.factor.activate' : 'core.user.factor.attempt_success',
    authenticationContext: {
      authenticationProvider: 'FACTOR_PROVIDER',
      credentialProvider: 'OKTA_CREDENTIAL_PROVIDER',
      credentialType: factor === 'SMS_FACTOR' ? 'SMS' : 'OTP',
      issuer: null,
      interface: null,
      authenticationStep: 0,
      externalSessionId: `idx${randomAlphanumeric(22)}`,
    },
    securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
    insertionTimestamp: null,
  };
}

/**
 * The event of a call of an inline hook that failed. Okta publishes no sample: the fields are those of every event, and the hook is
 * the target.
 *
 * @param payload - what the hook was sent.
 */
export function makeHookFailure(payload: unknown, reason: string, now: number): LogEvent {
  const user = fieldOf(payload, 'data', 'userProfile');
  const requestId = textFieldOf(payload, 'data', 'context', 'request', 'id') ?? 'unknown';
  const hookId = /[^/]*$/.exec(textFieldOf(payload, 'source') ?? '')?.[0] ?? 'unknown';
  return {
    uuid: randomUUID(),
    published: new Date(now).toISOString(),
    eventType: HOOK_FAILED_EVENT,
    version: '0',
    displayMessage: 'Inline hook executed',
    severity: 'WARN',
    actor: partyOf({
      id: textFieldOf(user, 'userId') ?? 'unknown',
      type: 'User',
      alternateId: textFieldOf(user, 'login') ?? 'unknown',
      displayName: 'unknown',
    }),
    outcome: { result: 'FAILURE', reason },
    target: [partyOf({ id: hookId, type: 'InlineHook', alternateId: 'unknown', displayName: 'Telephony' })],
    transaction: { type: 'WEB', id: requestId, detail: {} },
    debugContext: { debugData: { requestId, requestUri: '/idp/idx/challenge', url: '/idp/idx/challenge?' } },
  };
}

function partyOf({
  id,
  type,
  alternateId,
  displayName,
}: LogParty): LogParty & { readonly detailEntry: null } {
  return { id, type, alternateId, displayName, detailEntry: null };
}
