import { ProviderError } from '../../../core/errors.js';
import { fieldOf, textFieldOf } from '../../../core/json.js';
import type { Section, TwilioVariables } from '../variables.js';
import { fail, known, ok, once, restingOn, warn, type CheckGroup, type Finding } from '../finding.js';
import { listIn, notRead, openTwilio, type TwilioAccess } from './twilio-access.js';
import { examineWhatsApp } from './twilio-whatsapp.js';

interface TwilioParts {
  readonly callMs: number;
  /** Whether there is a URL for callbacks. */
  readonly hasPublicUrl: boolean;
}

const NO_SMS = warn(
  'Skipped: TWILIO_SMS_FROM is not set.',
  'Who did not opt in gets no SMS from here: set it.',
);
const NO_VOICE = warn(
  'Skipped: TWILIO_VOICE_FROM is not set.',
  'Nobody is called from here: set it, where calls are wanted.',
);

export function examineTwilio(section: Section<TwilioVariables>, parts: TwilioParts): CheckGroup {
  const title = 'Twilio';
  const variables = known('twilio.variables', section.finding);
  const { value } = section;
  if (value === undefined) return { title, checks: [variables] };
  const access = openTwilio(value, parts.callMs);
  const credential = { name: 'twilio.credential', look: once(() => credentialFinding(value, access)) };
  const later = restingOn(credential);
  const { sms, voice, verifyServiceSid } = value;
  return {
    title,
    checks: [
      variables,
      credential,
      later('twilio.auth-token', () => authTokenFinding(access, parts.hasPublicUrl)),
      later('twilio.account', () => accountFinding(access)),
      later('twilio.balance', () => balanceFinding(access)),
      later('twilio.sms', async () =>
        sms === undefined ? withoutSender('sms', NO_SMS, value) : smsFinding(access, sms),
      ),
      later('twilio.voice', async () =>
        voice === undefined
          ? withoutSender('voice', NO_VOICE, value)
          : numberFinding(access, { variable: 'TWILIO_VOICE_FROM', number: voice, capability: 'voice' }),
      ),
      ...examineWhatsApp(value.whatsapp, access).map(({ name, look }) => later(name, look)),
      ...(verifyServiceSid === undefined
        ? []
        : [later('twilio.verify', () => verifyFinding(access, verifyServiceSid))]),
    ],
    close: () => access.close(),
  };
}

const withoutSender = (channel: string, missing: Finding, { otherChannels }: TwilioVariables): Finding =>
  otherChannels.has(channel) ? ok('Not set: Verify or another provider has this channel.') : missing;

async function credentialFinding({ apiKey }: TwilioVariables, { check }: TwilioAccess): Promise<Finding> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== 'TWILIO_UNAUTHORIZED') throw error;
    return fail(
      `Twilio does not take ${apiKey === undefined ? 'the auth token' : 'the API key'}.`,
      'Compare TWILIO_ACCOUNT_SID with TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, or TWILIO_AUTH_TOKEN: they are of one account and one region, and no test credentials.',
    );
  }
  if (apiKey !== undefined) return ok('Twilio takes the API key.');
  return warn(
    'Twilio takes the auth token, which is the whole account: whoever has it can do everything.',
    'Make an API key (Twilio Console: Account > API keys & tokens), and set TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET.',
  );
}

async function authTokenFinding({ owner }: TwilioAccess, hasPublicUrl: boolean): Promise<Finding> {
  if (owner === undefined) {
    const without = 'TWILIO_AUTH_TOKEN is not set';
    const remedy =
      "Set it to the account's primary auth token: Twilio signs its callbacks by it, whatever key is used.";
    return hasPublicUrl
      ? fail(
          `${without}, so that no callback to PUBLIC_URL can be checked: the gateway does not start.`,
          remedy,
        )
      : warn(`Skipped: ${without}.`, remedy);
  }
  const look = await owner.account();
  if (look.kind === 'found') return ok("It is the account's.");
  if (look.kind === 'refused' && (look.status === 401 || look.status === 403)) {
    return fail(
      `TWILIO_AUTH_TOKEN is not the account's: ${look.reason}. Every callback would be refused.`,
      'Copy the primary auth token anew: Twilio Console, Account > API keys & tokens.',
    );
  }
  return notRead('The account', look);
}

async function accountFinding({ owner }: TwilioAccess): Promise<Finding> {
  const look = await owner?.account();
  if (look?.kind !== 'found') {
    return warn(
      'Whether it is active, and no trial account, cannot be seen with an API key.',
      'Set TWILIO_AUTH_TOKEN to have it looked at.',
    );
  }
  const status = textFieldOf(look.body, 'status');
  if (status !== 'active') {
    return fail(
      `The account is ${status ?? 'in no state that is known'}: nothing is sent.`,
      'Look at the notices in the Twilio Console, and write to its support.',
    );
  }
  if (textFieldOf(look.body, 'type') !== 'Trial') return ok('The account is active, and a full one.');
  return warn(
    'It is a trial account: it sends to verified numbers only, and little of it.',
    'Upgrade it in the Twilio Console; until then verify there the numbers that you try it with.',
  );
}

/** In whatever currency: it is a matter of days, not of cents. */
const LOW_BALANCE = 10;

async function balanceFinding({ sending }: TwilioAccess): Promise<Finding> {
  const look = await sending.balance();
  if (look.kind !== 'found') {
    if (look.kind === 'refused' && look.status < 500) {
      return warn(
        'The balance cannot be seen with this key.',
        'Look at it in the Twilio Console, under Billing.',
      );
    }
    return notRead('The balance', look);
  }
  const balance = Number(textFieldOf(look.body, 'balance') || NaN);
  if (!Number.isFinite(balance)) {
    return warn(
      "The balance cannot be read from Twilio's answer.",
      'Look at it in the Twilio Console, under Billing.',
    );
  }
  const currency = /^[A-Z]{3}$/.exec(textFieldOf(look.body, 'currency') ?? '')?.[0] ?? '';
  const told = `The balance is ${balance.toFixed(2)} ${currency}`.trim();
  const remedy = 'Add to it, and switch automatic recharge on: Twilio Console, Billing.';
  if (balance > LOW_BALANCE) return ok(`${told}.`);
  return balance > 0
    ? warn(`${told}: it is soon used up.`, remedy)
    : fail(`${told}: nothing is sent.`, remedy);
}

async function smsFinding(access: TwilioAccess, sender: string): Promise<Finding> {
  if (sender.startsWith('+')) {
    return numberFinding(access, { variable: 'TWILIO_SMS_FROM', number: sender, capability: 'sms' });
  }
  if (/^MG[0-9a-zA-Z]{32}$/.test(sender)) return serviceFinding(access, sender);
  return ok(
    'TWILIO_SMS_FROM is a name: many countries ask for its registration, and the US and Canada take none.',
  );
}

async function numberFinding(
  { sending }: TwilioAccess,
  wanted: { readonly variable: string; readonly number: string; readonly capability: 'sms' | 'voice' },
): Promise<Finding> {
  const { variable, number, capability } = wanted;
  const look = await sending.numbers(number);
  if (look.kind !== 'found') return notRead('The numbers of the account', look);
  const found = listIn(look.body, 'incoming_phone_numbers').find(
    (one) => textFieldOf(one, 'phone_number') === number,
  );
  if (found === undefined && capability === 'voice') return callerIdFinding(sending, number);
  if (found === undefined) {
    return fail(
      `The number of ${variable} is none of the account's.`,
      'Take one of its numbers (Twilio Console: Phone Numbers > Active numbers), or buy one.',
    );
  }
  if (fieldOf(found, 'capabilities', capability) === true) {
    return ok(
      `The number of ${variable} is the account's, and can do ${capability === 'sms' ? 'SMS' : 'calls'}.`,
    );
  }
  return fail(
    `The number of ${variable} cannot ${capability === 'sms' ? 'send SMS' : 'call'}.`,
    `Take a number of the account with that capability for ${variable}.`,
  );
}

/** Calls may come from a number of another's that the account has verified, too. */
async function callerIdFinding(sending: TwilioAccess['sending'], number: string): Promise<Finding> {
  const look = await sending.callerIds(number);
  const take = 'Take one of its numbers (Twilio Console: Phone Numbers > Active numbers), or verify it there';
  if (look.kind !== 'found') {
    return warn(
      "The number of TWILIO_VOICE_FROM is none of the account's numbers; its verified caller IDs cannot be read.",
      `${take}: Verified Caller IDs.`,
    );
  }
  const isVerified = listIn(look.body, 'outgoing_caller_ids').some(
    (one) => textFieldOf(one, 'phone_number') === number,
  );
  if (isVerified) return ok('The number of TWILIO_VOICE_FROM is a verified caller ID of the account.');
  return fail(
    "The number of TWILIO_VOICE_FROM is neither a number of the account's nor one of its verified caller IDs.",
    `${take}: Verified Caller IDs.`,
  );
}

async function serviceFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const service = await sending.messagingService(sid);
  if (service.kind === 'refused' && service.status === 404) {
    return fail(
      "The Messaging Service of TWILIO_SMS_FROM is none of the account's.",
      'Copy its SID anew: Twilio Console, Messaging > Services.',
    );
  }
  if (service.kind !== 'found') return notRead('The Messaging Service', service);
  const look = await sending.numbersOfService(sid);
  if (look.kind !== 'found') return notRead('The senders of the Messaging Service', look);
  const count = listIn(look.body, 'phone_numbers').length;
  if (count > 0)
    return ok(`The Messaging Service of TWILIO_SMS_FROM has ${count} number${count === 1 ? '' : 's'}.`);
  return warn(
    'The Messaging Service of TWILIO_SMS_FROM has no number: it sends only where it has a short code or a name.',
    'Add senders to its pool: Twilio Console, Messaging > Services.',
  );
}

async function verifyFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const look = await sending.verifyService(sid);
  if (look.kind === 'refused' && look.status === 404) {
    return fail(
      "The Verify service of TWILIO_VERIFY_SERVICE_SID is none of the account's.",
      'Copy its SID anew: Twilio Console, Verify > Services.',
    );
  }
  if (look.kind !== 'found') return notRead('The Verify service', look);
  if (fieldOf(look.body, 'custom_code_enabled') === true)
    return ok("The Verify service takes codes of Okta's making.");
  return fail(
    'The Verify service takes no custom codes, and Okta makes the code: every one is refused (60204).',
    'Switch on Enable Custom Verification Code: Twilio Console, Verify > Services > the service > General.',
  );
}
