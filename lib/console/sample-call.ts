import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { UserProfile } from '../core/channel.js';
import { OktaApiError } from '../core/errors.js';
import { asList, asObject, fieldOf, textFieldOf, type JsonObject } from '../core/json.js';
import { fullRequestType, type RequestType } from '../core/request-types.js';
import { isPreviewUrl, PREVIEW_PATH } from '../okta/inline-hook.js';
import { lookUpUser, type UserLookup } from '../okta/user-profile.js';

/**
 * Makes hook calls like those of Okta's preview page, but for a real user with their own phone: for `preview` and the
 * console's tester.
 */

/** A user, as far as Okta lets us read them. */
export interface SampleUser {
  readonly id: string;
  readonly login: string;
  /** Okta's status, e.g. `ACTIVE`. */
  readonly status: string | undefined;
  /** The enrolled phones by delivery channel; `undefined` if Okta lets us read the user, but not their factors. */
  readonly enrolled: Readonly<Partial<Record<'sms' | 'voice', string | undefined>>> | undefined;
  readonly profile: UserProfile;
}

export type ReadOktaPath = (path: string) => Promise<unknown>;

/** A code's life, the same as Okta's default. */
const LIFE_MS = 5 * 60_000;

/** How a person may name a user. */
interface Naming {
  /** Also by the login's part before the `@`; the person must see whom that found before anything is sent. */
  readonly isShortAllowed?: boolean;
}

/**
 * Reads a user by id or login.
 * @throws OktaApiError: `OKTA_NOT_FOUND` also for text that can be none of them, `OKTA_WRONG_USER` if Okta found another user.
 */
export async function readUser(
  read: ReadOktaPath,
  idOrLogin: string,
  { isShortAllowed = false }: Naming = {},
): Promise<{ readonly id: string; readonly segment: string; readonly user: unknown }> {
  const named = lookUpTyped(idOrLogin, isShortAllowed);
  if (named === undefined) {
    throw new OktaApiError('OKTA_NOT_FOUND', 'No user can have this id or login', { remedy: GIVE_WHOLE });
  }
  const user = await read(`/api/v1/users/${named.segment}`);
  if (!named.matches(user)) {
    throw new OktaApiError('OKTA_WRONG_USER', 'Okta answered with another user than the requested one', {
      remedy: GIVE_WHOLE,
    });
  }
  const id = textFieldOf(user, 'id');
  const segment = lookUpUser(id, undefined)?.segment;
  if (id === undefined || segment === undefined) {
    throw new OktaApiError('OKTA_UNREADABLE', "Okta's answer holds no id of the user");
  }
  return { id, segment, user };
}

/**
 * A lookup by typed text: an id or a login.
 *
 * @param isShortAllowed - whether it may also be a login's part before the `@`, which Okta takes if it is one user's alone.
 */
function lookUpTyped(idOrLogin: string, isShortAllowed: boolean): UserLookup | undefined {
  const byId = lookUpUser(idOrLogin, undefined);
  const byLogin = lookUpUser(undefined, idOrLogin);
  if (byLogin === undefined) return undefined;
  const isShortOf = (login: unknown): boolean =>
    isShortAllowed &&
    typeof login === 'string' &&
    login.toLowerCase().startsWith(`${idOrLogin.toLowerCase()}@`);
  return {
    ...byLogin,
    matches: (body) =>
      byLogin.matches(body) || byId?.matches(body) === true || isShortOf(fieldOf(body, 'profile', 'login')),
  };
}

/** Reads a user as `readUser` does, and their enrolled phones. */
export async function readSampleUser(
  read: ReadOktaPath,
  idOrLogin: string,
  naming?: Naming,
): Promise<SampleUser> {
  const { id, segment, user } = await readUser(read, idOrLogin, naming);
  const profile = fieldOf(user, 'profile');
  const factors = await readFactors(read, segment);
  return {
    id,
    login: textFieldOf(profile, 'login') ?? idOrLogin,
    status: textFieldOf(user, 'status'),
    enrolled: factors && { sms: phoneOf(factors, 'sms'), voice: phoneOf(factors, 'call') },
    profile: asObject(profile),
  };
}

const GIVE_WHOLE =
  "Give the user's whole login or their id (00u…): Okta, Directory > People. A user whose login has a slash is found by the id only.";

/** `undefined` if the caller may read users but not their factors, as with some custom roles. */
async function readFactors(read: ReadOktaPath, segment: string): Promise<readonly unknown[] | undefined> {
  try {
    return asList(await read(`/api/v1/users/${segment}/factors`));
  } catch (error) {
    if (error instanceof OktaApiError && error.code === 'OKTA_FORBIDDEN') return undefined;
    throw error;
  }
}

/** Makes the call that Okta would send, and notes about it for the person who sends it. */
export function makeSampleCall(
  user: SampleUser,
  options: {
    readonly requestType: RequestType;
    readonly deliveryChannel: 'sms' | 'voice';
    /** In place of the user's phone. */
    readonly phone?: string | undefined;
    /** In place of the user's language. */
    readonly locale?: string | undefined;
    readonly orgUrl: string;
    /** The hook's id at Okta, for the payload's `source`. */
    readonly hookId?: string | undefined;
    readonly nowMs: number;
    /** Okta's request id. Default: a random one. */
    readonly requestId?: string | undefined;
  },
): { readonly payload: JsonObject; readonly notes: readonly string[] } {
  const { requestType, deliveryChannel, orgUrl, nowMs } = options;
  const { profile } = user;
  const ownLocale = textFieldOf(profile, 'preferredLanguage') ?? textFieldOf(profile, 'locale');
  const locale = options.locale ?? ownLocale ?? 'en-US';
  const isText = deliveryChannel === 'sms';
  const { phoneNumber, notes } = choosePhone(user, deliveryChannel, options.phone);
  // No leading zero: an editor that reads the code as a number would drop it.
  const otpCode = String(randomInt(100_000, 1_000_000));
  if (user.status !== undefined && user.status !== 'ACTIVE')
    notes.push(`The user is ${user.status} at Okta.`);
  return {
    notes,
    payload: {
      eventId: randomUUID(),
      eventTime: new Date(nowMs).toISOString(),
      eventType: 'com.okta.telephony.provider',
      eventTypeVersion: '1.0',
      contentType: 'application/json',
      cloudEventVersion: '0.1',
      source: `${orgUrl}/api/v1/inlineHooks${options.hookId === undefined ? '' : `/${options.hookId}`}`,
      requestType: fullRequestType(requestType),
      data: {
        context: {
          request: {
            id: options.requestId ?? `req${randomBytes(15).toString('base64url')}`,
            method: 'POST',
            url: { value: PREVIEW_PATH },
            ipAddress: '127.0.0.1',
          },
        },
        userProfile: {
          userId: user.id,
          login: user.login,
          firstName: textFieldOf(profile, 'firstName') ?? '',
          lastName: textFieldOf(profile, 'lastName') ?? '',
        },
        messageProfile: {
          // Okta sends a text for messages only.
          ...(isText ? { msgTemplate: `Your code is ${otpCode}` } : {}),
          phoneNumber: phoneNumber ?? '',
          otpExpires: new Date(nowMs + LIFE_MS).toISOString(),
          // The spelling in Okta's newest reference.
          deliveryChannel: isText ? 'SMS' : 'voice call',
          otpCode,
          locale: locale.replaceAll('_', '-').toUpperCase(),
        },
      },
    },
  };
}

/** The same call, marked as a preview even if the mark was edited away. */
export function markAsPreview(payload: JsonObject): JsonObject {
  const url = asObject(fieldOf(payload, 'data', 'context', 'request', 'url'));
  if (isPreviewUrl(url['value'])) return payload;
  return withRequest(payload, { url: { ...url, value: PREVIEW_PATH } });
}

/** The same call with changed facts of the user's request at Okta. */
function withRequest(payload: JsonObject, changed: JsonObject): JsonObject {
  const data = asObject(payload['data']);
  const context = asObject(data['context']);
  const request = { ...asObject(context['request']), ...changed };
  return { ...payload, data: { ...data, context: { ...context, request } } };
}

/**
 * The same call with a new event id, marked as a preview, so that the hook does not take it as a repeat. An expired code gets
 * five more minutes.
 *
 * @param requestId - Okta's request id, in place of the payload's.
 */
export function renewSampleCall(payload: JsonObject, nowMs: number, requestId?: string): JsonObject {
  const marked = requestId === undefined ? payload : withRequest(payload, { id: requestId });
  const renewed: JsonObject = { ...markAsPreview(marked), eventId: randomUUID() };
  const data = asObject(payload['data']);
  const message = asObject(data['messageProfile']);
  const expires = message['otpExpires'];
  if (typeof expires !== 'string' || !(Date.parse(expires) <= nowMs)) return renewed;
  return {
    ...renewed,
    eventTime: new Date(nowMs).toISOString(),
    data: {
      ...asObject(renewed['data']),
      messageProfile: { ...message, otpExpires: new Date(nowMs + LIFE_MS).toISOString() },
    },
  };
}

function choosePhone(
  user: SampleUser,
  deliveryChannel: 'sms' | 'voice',
  given: string | undefined,
): { readonly phoneNumber: string | undefined; readonly notes: string[] } {
  if (given !== undefined) return { phoneNumber: given, notes: [] };
  const isText = deliveryChannel === 'sms';
  const own = user.enrolled?.[deliveryChannel];
  if (own !== undefined) return { phoneNumber: own, notes: [] };
  const other = user.enrolled?.[isText ? 'voice' : 'sms'];
  const phoneNumber = other ?? textFieldOf(user.profile, 'mobilePhone');
  const isHidden = user.enrolled === undefined;
  const notes = isHidden
    ? [
        'Okta does not let us read which phones the user enrolled: its administrator role has no right to factors.',
      ]
    : [];
  if (phoneNumber === undefined) {
    notes.push(
      `The user has no phone, neither enrolled nor in the profile${isHidden ? ' as far as can be read' : ''}: put one in data.messageProfile.phoneNumber.`,
    );
    return { phoneNumber, notes };
  }
  if (!isHidden) notes.push(`The user has enrolled no phone for ${isText ? 'SMS' : 'voice calls'}.`);
  notes.push(
    `The number is ${other === undefined ? "the profile's mobilePhone, which nobody has verified" : 'that of the other factor'}.`,
  );
  if (!/^\s*(\+|00)/.test(phoneNumber)) {
    notes.push('It has no country code: it can be dialled only where the hook has a defaultCountry.');
  }
  return { phoneNumber, notes };
}

/** The status of a verified factor. */
const ENROLLED = 'ACTIVE';

function phoneOf(factors: readonly unknown[], factorType: 'sms' | 'call'): string | undefined {
  const factor = factors.find(
    (one) => fieldOf(one, 'factorType') === factorType && fieldOf(one, 'status') === ENROLLED,
  );
  return textFieldOf(factor, 'profile', 'phoneNumber');
}
