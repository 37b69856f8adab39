import { twilioMessages, type OktaTelephonyHookOptions } from '#lib/index.js';
import { lineChannel, vonageChannel } from '#lib/channels/index.js';
import type { Fault, FaultRule, RecordedRequest } from '#lib/testing/server/faults.js';
import { ANA, startScene, type Scene } from '#harness/scene.js';
import { startLineEmulator } from './line/emulator.js';
import { startVonageEmulator } from './vonage/emulator.js';

type HookOptions = Partial<Omit<OktaTelephonyHookOptions, 'credentials'>>;

/** What a table of faults asks of a provider's emulator. */
export interface FaultyProvider {
  readonly requests: readonly RecordedRequest[];
  readonly redirectHits: number;
  /** How many messages it took. */
  readonly sent: number;
  fault(rule: FaultRule | Fault): void;
}

/** A gateway whose first channel is one beyond Twilio, with SMS by Twilio after it. */
export interface Subject {
  readonly scene: Scene;
  readonly provider: FaultyProvider;
  close(): Promise<void>;
}

/** A channel as the tables try it. */
export interface SubjectKind {
  readonly title: string;
  /** Under which name it is mounted. */
  readonly channel: string;
  /** The provider's name, as Okta is told it. */
  readonly name: string;
  start(hook?: HookOptions): Promise<Subject>;
}

const line: SubjectKind = {
  title: 'LINE',
  channel: 'line',
  name: 'LINE',
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

const vonageSms: SubjectKind = {
  title: 'Vonage, as the first provider of SMS,',
  channel: 'sms',
  name: 'VONAGE',
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
  title: 'Vonage, by WhatsApp,',
  channel: 'whatsapp',
  name: 'VONAGE',
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

/** The hook beside one emulator that is ended with it. */
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

/** Each channel beyond Twilio. */
export const SUBJECTS: readonly SubjectKind[] = [line, vonageSms, vonageWhatsApp];
