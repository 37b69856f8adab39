import { twilioCalls, twilioMessages } from '#lib/index.js';
import {
  awsSms,
  azureSms,
  lineChannel,
  relayChannel,
  vonageChannel,
  vonageVoice,
  whatsAppCloud,
} from '#lib/channels/index.js';
import type { Channel } from '#lib/channels/channel.js';
import { startAwsEmulator, startMetaEmulator } from '#lib/testing/index.js';
import type { Fault, FaultRule } from '#lib/testing/server/faults.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { ANA, startScene, type Scene } from '#harness/scene.js';
import { startAzure } from './azure/emulator.js';
import { startLineEmulator } from './line/emulator.js';
import { LINE_USER_ID } from './message.js';
import { startOtherHook } from './relay/other-hook.js';
import { startVonageEmulator } from './vonage/emulator.js';

/** A channel with its emulated provider. */
export interface Provider {
  readonly channel: Channel;
  readonly requests: readonly RecordedRequest[];
  readonly redirectHits: number;
  /** The number of messages that it accepted. */
  readonly sent: number;
  fault(rule: FaultRule | Fault): void;
  clearFaults(): void;
  close(): Promise<void>;
}

/** A channel that the tables test. */
export interface Subject {
  readonly title: string;
  /** The name that it is mounted under. */
  readonly name: string;
  /** The provider's name in the answer to Okta. */
  readonly provider: string;
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
  open(): Promise<Provider>;
}

const line: Subject = {
  title: 'LINE',
  name: 'line',
  provider: 'LINE',
  // LINE's own answers have this header.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { message: 'May not be so' },
    headers: { 'x-line-request-id': '8b5b4b18-94d9-4b3e-a2f6-629754b97172' },
  }),
  open: async () => {
    const emulator = await startLineEmulator();
    const { channelAccessToken, baseUrl } = emulator;
    emulator.addFriend(LINE_USER_ID);
    return providerOf(lineChannel({ channelAccessToken, baseUrl }), emulator, () => emulator.accepted.length);
  },
};

const vonageRefusal: Subject['refusal'] = (status) => ({
  kind: 'status',
  status,
  body: { type: 'https://developer.vonage.com/api-errors#an-error-that-is-new', title: 'No' },
});

const vonageSms: Subject = {
  title: 'Vonage for SMS',
  name: 'sms',
  provider: 'VONAGE',
  refusal: vonageRefusal,
  open: async () => {
    const emulator = await startVonageEmulator();
    const { applicationId, privateKey, number, baseUrl } = emulator;
    const channel = vonageChannel({ applicationId, privateKey, from: `+${number}`, baseUrl });
    return providerOf(channel, emulator, () => emulator.messages.length);
  },
};

const vonageWhatsApp: Subject = {
  title: 'Vonage for WhatsApp',
  name: 'whatsapp',
  provider: 'VONAGE',
  refusal: vonageRefusal,
  open: async () => {
    const emulator = await startVonageEmulator();
    const { apiKey, apiSecret, number, templateName, baseUrl } = emulator;
    const channel = vonageChannel({
      apiKey,
      apiSecret,
      from: number,
      template: { name: templateName, languages: { default: 'en_US' } },
      baseUrl,
    });
    return providerOf(channel, emulator, () => emulator.messages.length);
  },
};

const vonageCalls: Subject = {
  title: 'Vonage for calls',
  name: 'voice',
  provider: 'VONAGE',
  deliveryChannel: 'voice call',
  // The form of the Voice API.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { type: 'AN_ERROR_THAT_IS_NEW', error_title: 'No' },
  }),
  open: async () => {
    const emulator = await startVonageEmulator();
    const channel = vonageVoice({ ...emulator.credential, from: `+${emulator.number}` });
    return providerOf(channel, emulator, () => emulator.calls.length);
  },
};

const aws: Subject = {
  title: 'AWS',
  name: 'sms',
  provider: 'AWS',
  // AWS's own answers name their request and their exception.
  refusal: (status) => ({
    kind: 'status',
    status,
    body: { __type: 'ValidationException', Message: 'No' },
    headers: { 'x-amzn-requestid': '0d3a4f0c-8d55-4f0e-9c46-5d2c2f1b7a10' },
  }),
  refusalCode: 'ValidationException',
  unknownStatuses: [303, 503],
  open: async () => {
    const emulator = await startAwsEmulator();
    return providerOf(awsSms(emulator.credential), emulator, () => emulator.messages.length);
  },
};

const azure: Subject = {
  title: 'Azure',
  name: 'sms',
  provider: 'AZURE',
  requestsIfUnknown: 2,
  unknownStatuses: [303, 413, 415, 503],
  refusal: (status) => ({ kind: 'status', status, body: { error: { code: 'Denied', message: 'No' } } }),
  open: async () => {
    const emulator = await startAzure();
    const channel = azureSms({ ...emulator.credential, from: emulator.number });
    return providerOf(channel, emulator, () => emulator.messages.length);
  },
};

const relay: Subject = {
  title: 'relay',
  name: 'sms',
  provider: 'RELAY',
  refusal: (status) => ({ kind: 'status', status, body: { error: { errorSummary: 'May not be so' } } }),
  open: async () => {
    const emulator = await startOtherHook();
    const { url, headers } = emulator;
    return providerOf(relayChannel({ url, headers, refusals: 'trusted' }), emulator, () => emulator.sent);
  },
};

const metaWhatsApp: Subject = {
  title: 'Meta for WhatsApp',
  name: 'whatsapp',
  provider: 'META',
  refusal: (status) => ({
    kind: 'status',
    status,
    body: {
      error: { message: 'May not be so', type: 'OAuthException', fbtrace_id: 'AXsgnV2Cm3ZMGF3dF_cfYIn' },
    },
  }),
  open: async () => {
    const emulator = await startMetaEmulator();
    return providerOf(whatsAppCloud(emulator.credential), emulator, () => emulator.messages.length);
  },
};

function providerOf(
  channel: Channel,
  emulator: Omit<Provider, 'channel' | 'sent'>,
  sent: () => number,
): Provider {
  const { requests, fault, clearFaults, close } = emulator;
  return {
    ...{ channel, requests, fault, clearFaults, close },
    get redirectHits() {
      return emulator.redirectHits;
    },
    get sent() {
      return sent();
    },
  };
}

/** Each channel that is not Twilio's. */
export const SUBJECTS: readonly Subject[] = [
  line,
  vonageSms,
  vonageWhatsApp,
  vonageCalls,
  aws,
  azure,
  relay,
  metaWhatsApp,
];

export const DEADLINE_MS = 2200;

/** Starts a gateway with this channel first. Next comes Twilio: by SMS, or for calls by a call. */
export async function startGateway({ name }: Subject, { channel }: Provider): Promise<Scene> {
  const next = { sms: twilioMessages(), voice: twilioCalls() }[name];
  const scene = await startScene({
    hook: {
      deadlineMs: DEADLINE_MS,
      sandboxNumber: undefined,
      ...(name === 'line' ? { optInChannels: [name] } : {}),
      channels: { [name]: next === undefined ? channel : [channel, next] },
    },
  });
  scene.okta.updateUser(ANA.id, {
    whatsAppOptIn: name === 'line' ? [name] : true,
    lineUserId: LINE_USER_ID,
  });
  return scene;
}
