import { twilioCalls, twilioMessages, type OktaTelephonyHookOptions } from '#lib/index.js';
import {
  awsSms,
  azureSms,
  lineChannel,
  relayChannel,
  vonageChannel,
  vonageVoice,
  whatsAppCloud,
} from '#lib/channels/index.js';
import { startMetaEmulator } from '#lib/testing/meta/emulator.js';
import { startAwsEmulator } from '#lib/testing/index.js';
import type { Fault, FaultRule } from '#lib/testing/server/faults.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { ANA, startScene, type Scene } from '#harness/scene.js';
import { startAzure } from './azure/emulator.js';
import { startLineEmulator } from './line/emulator.js';
import { startOtherHook } from './relay/other-hook.js';
import { startVonageEmulator } from './vonage/emulator.js';

type HookOptions = Partial<Omit<OktaTelephonyHookOptions, 'credentials'>>;

/** What the table of faults uses of a provider's emulator. */
export interface FaultyProvider {
  readonly requests: readonly RecordedRequest[];
  readonly redirectHits: number;
  /** The number of messages that it accepted. */
  readonly sent: number;
  fault(rule: FaultRule | Fault): void;
}

/** A gateway whose first channel is not Twilio's, and whose next one is SMS by Twilio; for calls, a call by Twilio. */
export interface Subject {
  readonly scene: Scene;
  readonly provider: FaultyProvider;
  close(): Promise<void>;
}

/** A channel that the tables test. */
export interface SubjectKind {
  readonly title: string;
  /** The name that it is mounted under. */
  readonly channel: string;
  /** The provider's name in the answer to Okta. */
  readonly name: string;
  /** How the user gets the code. Default: by SMS. */
  readonly deliveryChannel?: 'voice call';
  /** How many requests one code makes if each has an unknown outcome. Default: 1. */
  readonly requestsIfUnknown?: number;
  /** The statuses below 500, and 503, that leave the outcome unknown even with the provider's own error. Default: none. */
  readonly unknownStatuses?: readonly number[];
  /** An answer with the provider's own error. */
  refusal(status: number): Fault;
  /** The code of that refusal. Default: the status. */
  readonly refusalCode?: string;
  start(hook?: HookOptions): Promise<Subject>;
}

const line: SubjectKind = {
  title: 'LINE',
  channel: 'line',
  name: 'LINE',
  // LINE's own answers have this header.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { message: 'May not be so' },
    headers: { 'x-line-request-id': '8b5b4b18-94d9-4b3e-a2f6-629754b97172' },
  }),
  start: async (hook) => {
    const emulator = await startLineEmulator();
    const { channelAccessToken, baseUrl } = emulator;
    const userId = emulator.addFriend();
    const subject = await startSubject(emulator, () => emulator.accepted.length, {
      optInChannels: ['line'],
      channels: { line: lineChannel({ channelAccessToken, baseUrl }) },
      ...hook,
    });
    subject.scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['line'], lineUserId: userId });
    return subject;
  },
};

const vonageRefusal: SubjectKind['refusal'] = (status) => ({
  kind: 'status',
  status,
  body: { type: 'https://developer.vonage.com/api-errors#an-error-that-is-new', title: 'No' },
});

const vonageSms: SubjectKind = {
  title: 'Vonage for SMS',
  channel: 'sms',
  name: 'VONAGE',
  refusal: vonageRefusal,
  start: async (hook) => {
    const emulator = await startVonageEmulator();
    const { applicationId, privateKey, number, baseUrl } = emulator;
    const sms = [vonageChannel({ applicationId, privateKey, from: `+${number}`, baseUrl }), twilioMessages()];
    return startSubject(emulator, () => emulator.messages.length, {
      sandboxNumber: undefined,
      channels: { sms },
      ...hook,
    });
  },
};

const vonageWhatsApp: SubjectKind = {
  title: 'Vonage for WhatsApp',
  channel: 'whatsapp',
  name: 'VONAGE',
  refusal: vonageRefusal,
  start: async (hook) => {
    const emulator = await startVonageEmulator();
    const { apiKey, apiSecret, number, templateName, baseUrl } = emulator;
    const whatsapp = vonageChannel({
      apiKey,
      apiSecret,
      from: number,
      template: { name: templateName, languages: { default: 'en_US' } },
      baseUrl,
    });
    return startSubject(emulator, () => emulator.messages.length, {
      sandboxNumber: undefined,
      channels: { whatsapp },
      ...hook,
    });
  },
};

const vonageCalls: SubjectKind = {
  title: 'Vonage for calls',
  channel: 'voice',
  name: 'VONAGE',
  deliveryChannel: 'voice call',
  // The form of the Voice API.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { type: 'AN_ERROR_THAT_IS_NEW', error_title: 'No' },
  }),
  start: async (hook) => {
    const emulator = await startVonageEmulator();
    const voice = [vonageVoice({ ...emulator.credential, from: `+${emulator.number}` }), twilioCalls()];
    return startSubject(emulator, () => emulator.calls.length, { channels: { voice }, ...hook });
  },
};

const aws: SubjectKind = {
  title: 'AWS',
  channel: 'sms',
  name: 'AWS',
  // AWS's own answers name their request and their exception.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { __type: 'ValidationException', Message: 'No' },
    headers: { 'x-amzn-requestid': '0d3a4f0c-8d55-4f0e-9c46-5d2c2f1b7a10' },
  }),
  refusalCode: 'ValidationException',
  unknownStatuses: [303, 503],
  start: async (hook) => {
    const emulator = await startAwsEmulator();
    return startSubject(emulator, () => emulator.messages.length, {
      sandboxNumber: undefined,
      channels: { sms: [awsSms(emulator.credential), twilioMessages()] },
      ...hook,
    });
  },
};

const azure: SubjectKind = {
  title: 'Azure',
  channel: 'sms',
  name: 'AZURE',
  requestsIfUnknown: 2,
  unknownStatuses: [303, 413, 415, 503],
  refusal: (status) => ({ kind: 'status', status, body: { error: { code: 'Denied', message: 'No' } } }),
  start: async (hook) => {
    const emulator = await startAzure();
    return startSubject(emulator, () => emulator.messages.length, {
      sandboxNumber: undefined,
      channels: { sms: [azureSms({ ...emulator.credential, from: emulator.number }), twilioMessages()] },
      ...hook,
    });
  },
};

const relay: SubjectKind = {
  title: 'relay',
  channel: 'sms',
  name: 'RELAY',
  refusal: (status) => ({ kind: 'status', status, body: { error: { errorSummary: 'May not be so' } } }),
  start: async (hook) => {
    const emulator = await startOtherHook();
    const { url, headers } = emulator;
    return startSubject(emulator, () => emulator.sent, {
      sandboxNumber: undefined,
      channels: { sms: [relayChannel({ url, headers, refusals: 'trusted' }), twilioMessages()] },
      ...hook,
    });
  },
};

const metaWhatsApp: SubjectKind = {
  title: 'Meta for WhatsApp',
  channel: 'whatsapp',
  name: 'META',
  refusal: (status) => ({
    kind: 'status',
    status,
    body: {
      error: { message: 'May not be so', type: 'OAuthException', fbtrace_id: 'AXsgnV2Cm3ZMGF3dF_cfYIn' },
    },
  }),
  start: async (hook) => {
    const emulator = await startMetaEmulator();
    return startSubject(emulator, () => emulator.messages.length, {
      sandboxNumber: undefined,
      channels: { whatsapp: whatsAppCloud(emulator.credential) },
      ...hook,
    });
  },
};

/** Starts a hook for an emulator. close() ends both. */
async function startSubject(
  emulator: Omit<FaultyProvider, 'sent'> & { close(): Promise<void> },
  sent: () => number,
  hook: HookOptions,
): Promise<Subject> {
  const scene = await startScene({ hook });
  return {
    scene,
    provider: {
      requests: emulator.requests,
      get redirectHits() {
        return emulator.redirectHits;
      },
      get sent() {
        return sent();
      },
      fault: emulator.fault,
    },
    close: async () => {
      await Promise.all([scene.close(), emulator.close()]);
    },
  };
}

/** Each channel that is not Twilio's. */
export const SUBJECTS: readonly SubjectKind[] = [
  line,
  vonageSms,
  vonageWhatsApp,
  vonageCalls,
  aws,
  azure,
  relay,
  metaWhatsApp,
];
