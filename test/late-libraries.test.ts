import { expect } from 'chai';
import { runBeside, type Hindrance, type ProcessOptions } from '#harness/own-process.js';
import { ANA, BOB, CODE, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';

const PLANS = 'libphonenumber-js/max';

interface Answer {
  readonly commands?: readonly { readonly value: readonly { readonly status: string }[] }[];
  readonly error?: { readonly errorCauses: readonly { readonly reason: string }[] };
}

describe('a code whose library is not there yet', () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await startScene();
  });
  afterEach(() => scene.close());

  /** Okta's call, and only then the library, where it is held: the answer's status, or the code of its cause. */
  const callBeside = async (
    libraries: Readonly<Record<string, Hindrance>>,
    parts: { readonly hook?: ProcessOptions['hook']; readonly call?: object } = {},
  ): Promise<string> => {
    const others = PLANS in libraries ? ['twilio', 'undici'] : [];
    const message = { userId: BOB.id, phoneNumber: BOB.phone, otpCode: CODE, ...parts.call };
    const { code, output } = await runBeside(
      scene,
      `
        // Beside the numbering plans: how fast this machine loads the others is not the matter.
        await Promise.all(${JSON.stringify(others)}.map((library) => import(library)));
        const { url, stop } = await listen();
        const answer = await fetch(url, hookCall(${JSON.stringify(message)}, '${HOOK_SECRET}'));
        console.log(JSON.stringify(await answer.json()));
        release();
        await import('${Object.keys(libraries).join()}').catch(() => undefined);
        stop();
        await hook.close();
      `,
      { hook: parts.hook ?? {}, libraries },
    );
    expect(code, output).to.equal(0);
    const { commands, error } = JSON.parse(output) as Answer;
    return (
      commands?.[0]?.value[0]?.status ??
      (error?.errorCauses ?? []).map(({ reason }) => reason.split(':', 1)[0]).join()
    );
  };

  for (const hindrance of ['held', 'missing'] as const) {
    for (const library of ['twilio', 'undici']) {
      for (const deliveryChannel of ['SMS', 'CALL']) {
        it(`is not sent, nor called PENDING, nor sent later: ${library} ${hindrance}, ${deliveryChannel}`, async () => {
          const answer = await callBeside({ [library]: hindrance }, { call: { deliveryChannel } });
          expect(answer).to.equal('UNREACHABLE');
          expect([...scene.twilio.messages, ...scene.twilio.calls]).to.be.empty;
        });
      }
    }

    describe(`the numbering plans, ${hindrance}`, () => {
      const plans = { [PLANS]: hindrance };

      it('is sent though nobody can say from where its number is', async () => {
        const hook = { guard: { countries: { allow: ['US'] } } };
        expect(await callBeside(plans, { hook, call: { phoneNumber: ANA.phone } })).to.equal('SUCCESSFUL');
        expect(scene.twilio.messages).to.have.length(1);
      });

      it('goes out from the default sender', async () => {
        const { smsNumber, voiceNumber } = scene.twilio;
        const senders = {
          sms: { default: smsNumber, GB: 'ACME' },
          voice: { default: voiceNumber, GB: '+15005550009' },
        };
        for (const deliveryChannel of ['SMS', 'CALL']) {
          const call = { phoneNumber: ANA.phone, deliveryChannel };
          expect(await callBeside(plans, { hook: { senders }, call })).to.equal('SUCCESSFUL');
        }
        expect(scene.twilio.messages.map(({ from }) => from)).to.deep.equal([smsNumber]);
        expect(scene.twilio.calls.map(({ from }) => from)).to.deep.equal([voiceNumber]);
      });

      it('is not sent to a national number, for nobody knows what to dial', async () => {
        const call = { phoneNumber: '202 555 0142' };
        expect(await callBeside(plans, { hook: { defaultCountry: 'US' }, call })).to.equal(
          'NO_DIALABLE_NUMBER',
        );
        expect(scene.twilio.messages).to.be.empty;
      });

      it("goes by WhatsApp to the enrolled number, where the profile's is a national one", async () => {
        scene.okta.updateUser(ANA.id, { mobilePhone: '07700 900123' });
        scene.twilio.joinSandbox(BOB.phone);
        const hook = { defaultCountry: 'GB', profile: { unverifiedPhoneAttribute: 'mobilePhone' } };
        expect(await callBeside(plans, { hook, call: { userId: ANA.id } })).to.equal('SUCCESSFUL');
        expect(scene.twilio.messages.map(({ channel, to }) => [channel, to])).to.deep.equal([
          ['whatsapp', BOB.phone],
        ]);
      });
    });
  }
});
