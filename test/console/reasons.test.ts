import { expect } from 'chai';
import type { HookEventOf } from '#lib/core/events.js';
import type { Execution } from '#lib/console/history/answers.js';
import { describeEvent } from '#lib/events/describe-event.js';
import { ANA, BOB, type HookOptions, type Scene, type SceneOptions } from '#harness/scene.js';
import { serveConsole, type ServedConsole } from './served-console.js';

const TO_ANA = {};
const TO_BOB = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone } as const;

/** Why a user got an SMS, or nothing. */
interface Cause {
  readonly title: string;
  readonly hook?: SceneOptions['hook'];
  readonly before?: (scene: Scene) => unknown;
  /** Default: Bob, who has no opt-in attribute. */
  readonly call?: Parameters<Scene['call']>[0];
  /** In the message of the one log line of the call, and in one step of the console. */
  readonly says: string;
  /** In the remedy of both; `undefined` for none. */
  readonly remedy: RegExp | undefined;
  readonly optIn?: string;
}

const isWhatsApp = ({ form }: { readonly form?: Readonly<Record<string, unknown>> | undefined }): boolean =>
  String(form?.['To']).startsWith('whatsapp:');
const saysOfAna =
  (value: unknown) =>
  ({ okta }: Scene): void =>
    okta.updateUser(ANA.id, { whatsAppOptIn: value });
const withGuard = (guard: HookOptions['guard']): HookOptions => ({ guard });

const CAUSES: readonly Cause[] = [
  {
    title: 'never opted in',
    before: saysOfAna(false),
    call: TO_ANA,
    says: 'The code was sent by SMS, because the user has not opted in (whatsAppOptIn).',
    remedy: undefined,
    optIn: 'no',
  },
  {
    title: 'has no opt-in attribute',
    says: 'The code was sent by SMS, because the profile has no attribute whatsAppOptIn.',
    remedy: /^Nothing, if the user never opted in\. .*OPT_IN_ATTRIBUTE.*okta-telephony-hook setup attribute/,
    optIn: 'absent',
  },
  {
    title: 'opted in by an attribute whose name is misspelt in the options',
    hook: { optInAttribute: 'whatsappOptin' },
    call: TO_ANA,
    says: 'The code was sent by SMS, because the profile has no attribute whatsappOptin.',
    remedy: /If the attribute has another name, set OPT_IN_ATTRIBUTE to it/,
    optIn: 'absent',
  },
  {
    title: 'has the text "true"',
    before: saysOfAna('true'),
    call: TO_ANA,
    says: 'The code was sent by SMS, because the value of whatsAppOptIn names no channel.',
    remedy: /names in optInChannels, such as whatsapp, or set OPT_IN_ATTRIBUTE to a boolean/,
    optIn: 'unusable',
  },
  {
    title: 'chose a channel that the gateway does not know',
    before: saysOfAna('telegram'),
    call: TO_ANA,
    says: 'The code was sent by SMS, because the value of whatsAppOptIn names no channel.',
    remedy: /names in optInChannels/,
    optIn: 'unusable',
  },
  {
    title: 'has a profile that Okta does not send in time',
    hook: { profile: { timeoutMs: 50 } },
    before: ({ okta }) => okta.fault({ kind: 'hang' }),
    call: TO_ANA,
    says: "The code was sent by SMS, without the user's profile (",
    remedy: /okta/i,
    optIn: 'unread',
  },
  {
    title: 'is unknown to Okta',
    call: { userId: '00u1nobody0000000001' },
    says: "The code was sent by SMS, without the user's profile (OKTA_NOT_FOUND).",
    remedy: /credentials\.okta\.orgUrl is the org that calls the hook/,
    optIn: 'unread',
  },
  {
    title: 'sent STOP',
    hook: ({ origin }) => ({ publicUrl: `${origin}/okta/telephony` }),
    before: ({ twilio, url }) =>
      twilio.receive({ from: ANA.phone, channel: 'whatsapp', body: 'STOP', url: `${url}/twilio/inbound` }),
    call: TO_ANA,
    says: 'The code was sent by SMS. WhatsApp was skipped: the user sent STOP.',
    remedy: /after START to the sender/,
    optIn: 'yes',
  },
  {
    title: 'is outside of the rollout',
    hook: { rollout: { whatsapp: 0 } },
    call: TO_ANA,
    says: 'The code was sent by SMS. WhatsApp was skipped: the rollout has it off for this user.',
    remedy: undefined,
    optIn: 'yes',
  },
  {
    title: 'opted in, but the provider refuses WhatsApp',
    before: ({ twilio }) => twilio.refuseWith({ code: 63_007, match: isWhatsApp }),
    call: TO_ANA,
    says: 'The code was sent by SMS, after WhatsApp was refused (63007).',
    remedy: /Check the WhatsApp sender/,
    optIn: 'yes',
  },
  {
    title: 'has not opted in, and the gateway sends no SMS',
    hook: ({ twilio }) => ({ senders: { voice: twilio.voiceNumber } }),
    says: 'No code was sent (CHANNEL_NOT_CONFIGURED), because the profile has no attribute whatsAppOptIn. Okta got an error, so it may send one itself.',
    remedy: /Add senders\.sms/,
    optIn: 'absent',
  },
  {
    title: 'needs a provider that does not answer',
    before: async (scene) => {
      scene.twilio.fault({ kind: 'reset' });
      for (let count = 0; count < 5; count += 1) await scene.call(TO_BOB);
    },
    says: 'No code was sent, after SMS was refused (BREAKER_OPEN). Okta got an error, so it may send one itself.',
    remedy: /status page/,
    optIn: 'absent',
  },
  {
    title: 'has a number of a country that the guard does not allow',
    hook: withGuard({ countries: { allow: ['GB'] } }),
    says: 'The guard blocked the code (COUNTRY_NOT_ALLOWED). Nothing was sent.',
    remedy: /guard\.countries/,
  },
  {
    title: 'requested more codes than the limit',
    hook: withGuard({ perUser: { points: 1, seconds: 600 }, countries: false }),
    before: (scene) => scene.call(TO_BOB),
    says: 'The guard blocked the code (LIMIT_PER_USER). Nothing was sent.',
    remedy: /guard\.perUser/,
  },
  {
    title: 'has a number that cannot be dialled',
    call: { ...TO_BOB, phoneNumber: '(202) 555-0142' },
    says: 'No code was sent (NO_DIALABLE_NUMBER). Okta got an error, so it may send one itself.',
    remedy: /Enroll the phone again/,
  },
];

describe('the log line and the execution of a call say why the user', () => {
  let served: ServedConsole;
  afterEach(() => served.close());

  for (const { title, hook, before, call = TO_BOB, says, remedy, optIn } of CAUSES) {
    it(title, async () => {
      served = await serveConsole(hook === undefined ? {} : { hook });
      const { scene } = served;
      await before?.(scene);
      await scene.call({ ...call, eventId: 'event-why' });

      const [line, ...others] = scene.log.filter(
        ({ fields }) => fields['eventId'] === 'event-why' && fields['event'] === 'request.answered',
      );
      expect(others).to.have.length(0);
      expect(line?.message).to.include(says);
      expect(line?.fields['optIn']).to.equal(optIn);
      if (remedy === undefined) expect(line?.fields).to.not.have.property('remedy');
      else expect(line?.fields['remedy']).to.match(remedy);

      const opened = (await served.ask('/api/executions/event-why')).json as Execution;
      const shown = opened.steps.map(describeEvent).find(({ text }) => text.includes(says));
      expect(shown?.remedy).to.equal(line?.fields['remedy']);
      const inConsole = opened.steps.find(
        (step): step is HookEventOf<'request.answered'> => step.type === 'request.answered',
      );
      expect(inConsole?.optIn).to.equal(optIn);
    });
  }
});
