import { lineChannel } from '../channels/line/line.js';
import { twilioVerify } from '../channels/twilio/verify.js';
import type { VonageCredential } from '../channels/vonage/options.js';
import { vonageChannel } from '../channels/vonage/vonage.js';
import type { Channel } from '../channels/channel.js';
import type { TwilioCredential } from './credential-types.js';
import { attempt, attemptBy, OPTION_NAMES, type VariableName, type VariableReader } from './variables.js';

/** The variables of the providers that deliver codes, for `optionsFrom` and the command line. */

/** Whether a variable of a provider is set. @param prefix - e.g. `TWILIO_`. */
export function usesProvider(reader: VariableReader, prefix: 'TWILIO_' | 'VONAGE_' | 'LINE_'): boolean {
  return reader.hasAny(...OPTION_NAMES.filter((name) => name.startsWith(prefix)));
}

const SENDERS = [
  'TWILIO_SMS_FROM',
  'TWILIO_VOICE_FROM',
  'TWILIO_SANDBOX_NUMBER',
  'TWILIO_WHATSAPP_FROM',
  'TWILIO_WHATSAPP_TEMPLATE',
  'TWILIO_VERIFY_SERVICE_SID',
  'VONAGE_SMS_FROM',
  'VONAGE_WHATSAPP_FROM',
  'LINE_CHANNEL_ACCESS_TOKEN',
] as const satisfies readonly VariableName[];

/** Whether a variable names a sender of any provider. */
export const hasSender = (reader: VariableReader): boolean => reader.hasAny(...SENDERS);

/** Whether a variable names a WhatsApp sender. Codes go by it only to users who have opted in. */
export function hasWhatsAppSender(reader: VariableReader): boolean {
  return (
    reader.hasAny('TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM', 'VONAGE_WHATSAPP_FROM') ||
    reader.valueOf('TWILIO_VERIFY_CHANNELS')?.split(',').includes('whatsapp') === true
  );
}

/** Adds a problem if no variable names a sender of any provider. */
export function requireAnySender(reader: VariableReader): void {
  if (hasSender(reader)) return;
  reader.complain(
    'TWILIO_SMS_FROM or another sender is missing: set one or more of TWILIO_SMS_FROM, TWILIO_VOICE_FROM, and TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM with TWILIO_WHATSAPP_TEMPLATE, each with TWILIO_ACCOUNT_SID; TWILIO_VERIFY_SERVICE_SID; VONAGE_SMS_FROM, VONAGE_WHATSAPP_FROM; LINE_CHANNEL_ACCESS_TOKEN',
  );
}

/** The credential of Twilio, with one auth token at most. */
export type TwilioVariables = TwilioCredential & { readonly authToken?: string | undefined };

export function readTwilioLogin(reader: VariableReader): TwilioVariables {
  const accountSid = reader.required('TWILIO_ACCOUNT_SID', "the account's SID");
  const authToken = reader.read('TWILIO_AUTH_TOKEN');
  const baseUrl = reader.read('TWILIO_BASE_URL');
  if (hasApiKey(reader)) {
    const what = "the API key's; in place of a key TWILIO_AUTH_TOKEN will do";
    const apiKeySid = reader.required('TWILIO_API_KEY_SID', what);
    const apiKeySecret = reader.required('TWILIO_API_KEY_SECRET', what);
    return { accountSid, apiKeySid, apiKeySecret, authToken, baseUrl };
  }
  if (authToken === undefined) {
    reader.complain(
      'TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing; in their place TWILIO_AUTH_TOKEN will do',
    );
  }
  return { accountSid, authToken: authToken ?? '', baseUrl };
}

export function hasApiKey(reader: VariableReader): boolean {
  return reader.hasAny('TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET');
}

/** Twilio's senders. */
export interface SenderVariables {
  readonly sms: string | undefined;
  readonly voice: string | undefined;
  readonly sandboxNumber: string | undefined;
  readonly whatsapp: { readonly from: string; readonly templates: { readonly default: string } } | undefined;
}

export function readSenders(reader: VariableReader): SenderVariables {
  const sms = reader.read('TWILIO_SMS_FROM');
  const voice = reader.read('TWILIO_VOICE_FROM');
  const sandboxNumber = reader.read('TWILIO_SANDBOX_NUMBER');
  if (!reader.hasAny('TWILIO_WHATSAPP_FROM', 'TWILIO_WHATSAPP_TEMPLATE')) {
    return { sms, voice, sandboxNumber, whatsapp: undefined };
  }
  if (sandboxNumber !== undefined) {
    reader.complain(
      'TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE: unset it, or them',
    );
  }
  const from = reader.required('TWILIO_WHATSAPP_FROM', 'the approved sender of TWILIO_WHATSAPP_TEMPLATE');
  const what = 'the Content SID of the authentication template';
  const template = reader.required('TWILIO_WHATSAPP_TEMPLATE', what);
  return { sms, voice, sandboxNumber, whatsapp: { from, templates: { default: template } } };
}

/** A service of Twilio Verify, and the channels that it serves. */
interface VerifyVariables {
  readonly serviceSid: string;
  readonly channels: readonly string[];
}

export function readVerify(reader: VariableReader): VerifyVariables | undefined {
  const serviceSid = reader.read('TWILIO_VERIFY_SERVICE_SID');
  const channels = reader.read('TWILIO_VERIFY_CHANNELS');
  if (serviceSid === undefined) {
    if (channels !== undefined)
      reader.required('TWILIO_VERIFY_SERVICE_SID', 'TWILIO_VERIFY_CHANNELS needs it');
    return undefined;
  }
  return { serviceSid, channels: (channels ?? 'sms,voice').split(',') };
}

/** Verify's channel; `undefined` if there is none, or it has problems. */
export function verifyChannelOf(verify: VerifyVariables | undefined): Channel | undefined {
  // The rule of the variable reports a wrong SID.
  return verify && attempt(() => twilioVerify({ serviceSid: verify.serviceSid })).made;
}

/** Vonage's channels, by the hook's names for them. */
interface VonageChannels {
  readonly sms: Channel | undefined;
  readonly whatsapp: Channel | undefined;
}

export function readVonage(reader: VariableReader): VonageChannels {
  if (!usesProvider(reader, 'VONAGE_')) return { sms: undefined, whatsapp: undefined };
  const smsFrom = reader.read('VONAGE_SMS_FROM');
  const template = reader.read('VONAGE_WHATSAPP_TEMPLATE');
  const language = reader.read('VONAGE_WHATSAPP_LANGUAGE') ?? 'en_US';
  const whatsappFrom =
    template === undefined
      ? reader.read('VONAGE_WHATSAPP_FROM')
      : reader.required('VONAGE_WHATSAPP_FROM', 'the sender of VONAGE_WHATSAPP_TEMPLATE');
  if (smsFrom === undefined && whatsappFrom === undefined) {
    reader.complain('VONAGE_SMS_FROM and VONAGE_WHATSAPP_FROM are missing: set one of them, or both');
  }
  const shared = { ...readVonageCredential(reader), baseUrl: reader.read('VONAGE_BASE_URL') };
  const templates = template === undefined ? undefined : { name: template, languages: { default: language } };
  const channelBy = (kind: keyof VonageChannels, from: string | undefined): Channel | undefined => {
    if (from === undefined || from === '') return undefined;
    const options = { ...shared, from, kind, template: kind === 'whatsapp' ? templates : undefined };
    const names = { ...VONAGE_NAMES, from: `VONAGE_${kind.toUpperCase()}_FROM` };
    return attemptBy(reader, names, () => vonageChannel(options));
  };
  return { sms: channelBy('sms', smsFrom), whatsapp: channelBy('whatsapp', whatsappFrom) };
}

const VONAGE_NAMES = {
  apiKey: 'VONAGE_API_KEY',
  apiSecret: 'VONAGE_API_SECRET',
  applicationId: 'VONAGE_APPLICATION_ID',
  privateKey: 'VONAGE_PRIVATE_KEY',
  baseUrl: 'VONAGE_BASE_URL',
};

function readVonageCredential(reader: VariableReader): VonageCredential {
  const isByApp = reader.hasAny('VONAGE_APPLICATION_ID', 'VONAGE_PRIVATE_KEY');
  if (isByApp && reader.hasAny('VONAGE_API_KEY', 'VONAGE_API_SECRET')) {
    reader.complain(
      'VONAGE_API_KEY and VONAGE_API_SECRET do not go with VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY: unset one of the pairs',
    );
  }
  if (isByApp) {
    const what = 'the id of the application of VONAGE_PRIVATE_KEY';
    return {
      applicationId: reader.required('VONAGE_APPLICATION_ID', what),
      privateKey: reader.required('VONAGE_PRIVATE_KEY', 'the private key of VONAGE_APPLICATION_ID'),
    };
  }
  const what = "the account's; in place of both VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY will do";
  return {
    apiKey: reader.required('VONAGE_API_KEY', what),
    apiSecret: reader.required('VONAGE_API_SECRET', what),
  };
}

/** LINE's channel; `undefined` without one, or with problems. */
export function readLine(reader: VariableReader): Channel | undefined {
  if (!usesProvider(reader, 'LINE_')) return undefined;
  const channelAccessToken = reader.required('LINE_CHANNEL_ACCESS_TOKEN', 'LINE codes are sent with it');
  const userIdAttribute = reader.read('LINE_USER_ID_ATTRIBUTE');
  const baseUrl = reader.read('LINE_BASE_URL');
  const names = {
    channelAccessToken: 'LINE_CHANNEL_ACCESS_TOKEN',
    userIdAttribute: 'LINE_USER_ID_ATTRIBUTE',
    baseUrl: 'LINE_BASE_URL',
  };
  return attemptBy(reader, names, () => lineChannel({ channelAccessToken, userIdAttribute, baseUrl }));
}
