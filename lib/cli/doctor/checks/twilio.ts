import { ProviderError } from '../../../core/errors.js';
import { asList, fieldOf, textFieldOf } from '../../../core/json.js';
import type { Section, TwilioSide } from '../variables.js';
import { checksOf, fail, ok, warn, type CheckGroup, type CheckTable, type Finding } from '../finding.js';
import { registrationFinding } from './registration.js';
import { openTwilio, unreadFinding, type TwilioAccess } from './twilio-access.js';
import { templateFinding, whatsAppFinding } from './twilio-whatsapp.js';

interface TwilioParts {
  readonly side: TwilioSide;
  readonly access: TwilioAccess;
  /** Whether PUBLIC_URL is set, so that Twilio sends callbacks. */
  readonly hasPublicUrl: boolean;
}

const NO_SMS = warn(
  'Skipped: TWILIO_SMS_FROM is not set.',
  'Set it. Without it, users who did not opt in get no code by Twilio.',
);
const NO_VOICE = warn(
  'Skipped: TWILIO_VOICE_FROM is not set.',
  'Set it if codes should also go out as voice calls.',
);

const REDACTION = warn(
  'Doctor does not check whether the account has Message Redaction, without which Twilio refuses every message (30029, 30030).',
  'Turn it on: Twilio Console, Messaging > Settings > General. Then send a code to your own phone.',
);

const CHECKS: CheckTable<TwilioParts> = {
  credential: { run: ({ side, access }) => credentialFinding(side, access) },
  'auth-token': { run: ({ access, hasPublicUrl }) => authTokenFinding(access, hasPublicUrl) },
  account: { run: ({ access }) => accountFinding(access) },
  balance: { run: ({ access }) => balanceFinding(access) },
  sms: {
    run: ({ side, access }) =>
      side.sms === undefined ? withoutSender('sms', NO_SMS, side) : smsFinding(access, side.sms),
  },
  'sms-fallback': {
    isUsed: ({ side }) => side.smsFallbackFrom !== undefined,
    run: ({ side, access }) => fallbackFinding(access, side.smsFallbackFrom ?? ''),
  },
  registration: {
    needs: 'sms',
    run: ({ side, access }) => registrationFinding(access, side),
  },
  redaction: {
    isUsed: ({ side }) => side.hasRedaction,
    run: () => REDACTION,
  },
  voice: {
    run: ({ side, access }) =>
      side.voice === undefined
        ? withoutSender('voice', NO_VOICE, side)
        : numberFinding(access, side.voice, 'TWILIO_VOICE_FROM'),
  },
  whatsapp: { run: ({ side }) => whatsAppFinding(side) },
  template: {
    isUsed: ({ side }) => side.whatsapp !== undefined,
    run: ({ side, access }) => templateFinding(access, side.whatsapp?.templates.default ?? ''),
  },
  verify: {
    isUsed: ({ side }) => side.verifyServiceSid !== undefined,
    run: ({ side, access }) => verifyFinding(access, side.verifyServiceSid ?? ''),
  },
};

/** The checks of the Twilio account: credential, balance, senders, templates and the Verify service. */
export function examineTwilio(
  { finding, value: side }: Section<TwilioSide>,
  { callMs, hasPublicUrl }: { readonly callMs: number; readonly hasPublicUrl: boolean },
): CheckGroup {
  const access = side && openTwilio(side, callMs);
  const parts = side && access && { side, access, hasPublicUrl };
  return { title: 'Twilio', checks: checksOf('twilio', finding, parts, CHECKS), close: access?.close };
}

const withoutSender = (channel: string, missing: Finding, { otherChannels }: TwilioSide): Finding =>
  otherChannels.has(channel) ? ok('Not set: Verify or another provider has this channel.') : missing;

async function credentialFinding({ apiKeySid }: TwilioSide, { check }: TwilioAccess): Promise<Finding> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== 'TWILIO_UNAUTHORIZED') throw error;
    return fail(
      `Twilio does not accept ${apiKeySid === undefined ? 'the auth token' : 'the API key'}.`,
      'Compare TWILIO_ACCOUNT_SID with TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, or TWILIO_AUTH_TOKEN: all belong to one account and one region. Test credentials do not work.',
    );
  }
  if (apiKeySid !== undefined) return ok('Twilio accepts the API key.');
  return warn(
    'Twilio accepts the auth token, which gives full access to the account.',
    'Make an API key (Twilio Console: Account > API keys & tokens), and set TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET.',
  );
}

async function authTokenFinding({ owner }: TwilioAccess, hasPublicUrl: boolean): Promise<Finding> {
  if (owner === undefined) {
    const without = 'TWILIO_AUTH_TOKEN is not set';
    const remedy =
      "Set it to the account's primary auth token: Twilio signs callbacks with it, even if the gateway sends with an API key.";
    if (!hasPublicUrl) return warn(`Skipped: ${without}.`, remedy);
    const effect = 'The gateway does not start, because it could not verify callbacks to PUBLIC_URL.';
    return fail(`${without}. ${effect}`, remedy);
  }
  const reading = await owner.account();
  if (reading.kind === 'found') return ok('TWILIO_AUTH_TOKEN belongs to the account.');
  if (reading.kind === 'refused' && (reading.status === 401 || reading.status === 403)) {
    return fail(
      `TWILIO_AUTH_TOKEN does not belong to the account: ${reading.reason}. The gateway would refuse every callback.`,
      'Copy the primary auth token again: Twilio Console, Account > API keys & tokens.',
    );
  }
  return unreadFinding('The account', reading);
}

async function accountFinding({ owner }: TwilioAccess): Promise<Finding> {
  const reading = await owner?.account();
  if (reading?.kind !== 'found') {
    return warn(
      'An API key cannot read whether the account is active, and whether it is a trial account.',
      'Set TWILIO_AUTH_TOKEN to check that.',
    );
  }
  const status = textFieldOf(reading.body, 'status');
  if (status !== 'active') {
    return fail(
      `The account is ${status ?? 'in an unknown state'}: it sends nothing.`,
      'Read the notices in the Twilio Console, and contact its support.',
    );
  }
  if (textFieldOf(reading.body, 'type') !== 'Trial')
    return ok('The account is active, and no trial account.');
  return warn(
    'The account is a trial account: it sends only to verified numbers, with low limits.',
    'Upgrade it in the Twilio Console. Until then verify your test numbers there.',
  );
}

/** In the currency of the account. The exact value matters little: it lasts for days at most. */
const LOW_BALANCE = 10;
const READ_BALANCE = 'Check it in the Twilio Console, under Billing.';

async function balanceFinding({ sending }: TwilioAccess): Promise<Finding> {
  const reading = await sending.balance();
  if (reading.kind !== 'found') {
    if (reading.kind === 'unreached' || reading.status >= 500) return unreadFinding('The balance', reading);
    return warn('This key may not read the balance.', READ_BALANCE);
  }
  const balance = Number(textFieldOf(reading.body, 'balance') || NaN);
  if (!Number.isFinite(balance)) {
    return warn("The balance cannot be read from Twilio's answer.", READ_BALANCE);
  }
  const currency = /^[A-Z]{3}$/.exec(textFieldOf(reading.body, 'currency') ?? '')?.[0] ?? '';
  const amount = `The balance is ${balance.toFixed(2)} ${currency}`.trim();
  const remedy = 'Add funds, and turn on auto-recharge: Twilio Console, Billing.';
  if (balance > LOW_BALANCE) return ok(`${amount}.`);
  return balance > 0
    ? warn(`${amount}. It will soon be used up.`, remedy)
    : fail(`${amount}: Twilio sends nothing.`, remedy);
}

/** @param sender - a number, a Messaging Service (`MG…`) or an alphanumeric sender id. */
async function smsFinding(access: TwilioAccess, sender: string): Promise<Finding> {
  if (sender.startsWith('+')) return numberFinding(access, sender, 'TWILIO_SMS_FROM');
  if (/^MG[0-9a-zA-Z]{32}$/.test(sender)) return serviceFinding(access, sender);
  return ok(
    'TWILIO_SMS_FROM is an alphanumeric sender: many countries require its registration, and the US and Canada allow none.',
  );
}

function fallbackFinding(access: TwilioAccess, sender: string): Finding | Promise<Finding> {
  if (sender.startsWith('+')) return numberFinding(access, sender, 'TWILIO_SMS_FALLBACK_FROM');
  return ok('TWILIO_SMS_FALLBACK_FROM is an alphanumeric sender, which some countries do not allow.');
}

async function numberFinding(
  { sending }: TwilioAccess,
  number: string,
  variable: 'TWILIO_SMS_FROM' | 'TWILIO_SMS_FALLBACK_FROM' | 'TWILIO_VOICE_FROM',
): Promise<Finding> {
  const capability = variable === 'TWILIO_VOICE_FROM' ? 'voice' : 'sms';
  const does = capability === 'sms' ? 'send SMS' : 'make calls';
  const reading = await sending.numbers(number);
  if (reading.kind !== 'found') return unreadFinding('The numbers of the account', reading);
  const found = findNumber(reading.body['incoming_phone_numbers'], number);
  if (found === undefined && capability === 'voice') return callerIdFinding(sending, number);
  if (found === undefined) {
    return fail(
      `The number in ${variable} does not belong to the account.`,
      'Use one of its numbers (Twilio Console: Phone Numbers > Active numbers), or buy one.',
    );
  }
  if (fieldOf(found, 'capabilities', capability) === true) {
    return ok(`The number in ${variable} belongs to the account, and can ${does}.`);
  }
  return fail(
    `The number in ${variable} cannot ${does}.`,
    `Set ${variable} to a number of the account with that capability.`,
  );
}

function findNumber(list: unknown, number: string): unknown {
  return asList(list).find((one) => textFieldOf(one, 'phone_number') === number);
}

/** A number outside the account may make calls if the account has verified it as a caller ID. */
async function callerIdFinding(sending: TwilioAccess['sending'], number: string): Promise<Finding> {
  const reading = await sending.callerIds(number);
  const remedy =
    'Use one of its numbers (Twilio Console: Phone Numbers > Active numbers), or verify this one there: Verified Caller IDs.';
  if (reading.kind !== 'found') {
    return warn(
      'The number in TWILIO_VOICE_FROM does not belong to the account, whose verified caller IDs cannot be read.',
      remedy,
    );
  }
  if (findNumber(reading.body['outgoing_caller_ids'], number) !== undefined) {
    return ok('The number in TWILIO_VOICE_FROM is a verified caller ID of the account.');
  }
  return fail(
    "The number in TWILIO_VOICE_FROM is neither one of the account's numbers nor one of its verified caller IDs.",
    remedy,
  );
}

async function serviceFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const service = await sending.messagingService(sid);
  if (service.kind !== 'found') {
    const absent = fail(
      'The Messaging Service in TWILIO_SMS_FROM does not belong to the account.',
      'Copy its SID again: Twilio Console, Messaging > Services.',
    );
    return unreadFinding('The Messaging Service', service, absent);
  }
  const reading = await sending.numbersOfService(sid);
  if (reading.kind !== 'found') return unreadFinding('The senders of the Messaging Service', reading);
  const count = asList(reading.body['phone_numbers']).length;
  if (count > 0)
    return ok(`The Messaging Service in TWILIO_SMS_FROM has ${count} number${count === 1 ? '' : 's'}.`);
  return warn(
    'The Messaging Service in TWILIO_SMS_FROM has no number: it can send only by a short code or an alphanumeric sender.',
    'Add senders to its pool: Twilio Console, Messaging > Services.',
  );
}

async function verifyFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const reading = await sending.verifyService(sid);
  if (reading.kind !== 'found') {
    const absent = fail(
      'The Verify service in TWILIO_VERIFY_SERVICE_SID does not belong to the account.',
      'Copy its SID again: Twilio Console, Verify > Services.',
    );
    return unreadFinding('The Verify service', reading, absent);
  }
  if (fieldOf(reading.body, 'custom_code_enabled') === true)
    return ok("The Verify service accepts custom codes, such as Okta's.");
  return fail(
    'The Verify service does not accept custom codes: it refuses every code of Okta (60204).',
    'Turn on Enable Custom Verification Code: Twilio Console, Verify > Services > the service > General.',
  );
}
