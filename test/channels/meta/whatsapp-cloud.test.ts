import { expect } from 'chai';
import { Agent } from 'undici';
import { whatsAppCloud, type WhatsAppCloudOptions } from '#lib/channels/index.js';
import { startMetaEmulator, type MetaEmulator } from '#lib/testing/index.js';
import { ANA, BOB, channelOf, CODE, commandOf, scenes, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { sendBy } from '../message.js';
import { problemsOf } from '../options.js';

describe('WhatsApp by Meta', () => {
  let meta: MetaEmulator;
  let scene: Scene;
  const startScene = scenes();
  beforeEach(async () => {
    meta = await startMetaEmulator();
    const { accessToken, appSecret, verifyToken } = meta.credential;
    mustNotShow(accessToken, appSecret, verifyToken);
  });
  afterEach(() => meta.close());

  /** A gateway that sends WhatsApp by Meta, and SMS by Twilio. */
  const start = async (options: Partial<WhatsAppCloudOptions> = {}): Promise<void> => {
    const whatsapp = whatsAppCloud({ ...meta.credential, ...options });
    scene = await startScene({ hook: { sandboxNumber: undefined, channels: { whatsapp } } });
  };

  it('has the code in the body and in the button that copies it', async () => {
    await start();
    const call = await scene.call();
    expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'META' });
    expect(channelOf(call)).to.equal('whatsapp');
    const [request] = meta.requests;
    expect(request).to.include({ method: 'POST', path: `/v25.0/${meta.phoneNumberId}/messages` });
    expect(request?.headers['user-agent']).to.equal('okta-telephony-hook');
    const parameters = [{ type: 'text', text: CODE }];
    const { biz_opaque_callback_data: reference, ...body } = JSON.parse(request?.body ?? '') as Record<
      string,
      unknown
    >;
    expect(body).to.deep.equal({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: ANA.phone,
      type: 'template',
      template: {
        name: 'okta_code',
        language: { code: 'en_US' },
        components: [
          { type: 'body', parameters },
          { type: 'button', sub_type: 'url', index: '0', parameters },
        ],
      },
    });
    expect(reference).to.match(/^[\w-]{20,64}$/);
    const [item] = meta.inbox(ANA.phone);
    expect(item?.button?.copies).to.equal(CODE);
  });

  it('shows the id of the message, which holds the number, as a digest', async () => {
    await start();
    await scene.call();
    const [attempt] = scene.of('attempt.ended');
    expect(attempt).to.include({ outcome: 'accepted', provider: 'META' });
    expect(attempt?.transactionId).to.match(/^[\w-]{43}$/);
  });

  it("is written in the template's language for the locale, else in the default one", async () => {
    await start({ apiVersion: 'v26.0' });
    await scene.call({ locale: 'pt-PT' });
    await scene.call({ locale: 'fr' });
    expect(meta.messages.map(({ language }) => language)).to.deep.equal(['pt_BR', 'en_US']);
    expect(meta.requests[0]?.path).to.match(/^\/v26\.0\//);
  });

  it('says nothing for users who have not opted in', async () => {
    await start();
    await scene.call({ userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone });
    expect(meta.requests).to.be.empty;
  });

  it('is unknown after an error whose cause Meta does not know', async () => {
    const dispatcher = new Agent();
    for (const rule of [
      { code: 1 },
      { code: 131000, isTransient: true },
      { code: 135000 },
      { code: 131000, status: 500, isTransient: false },
      { code: 131016, status: 500 },
      { code: 1, status: 503, isTransient: false },
    ]) {
      meta.refuseWith({ ...rule, times: 1 });
      const { status } = await sendBy(whatsAppCloud(meta.credential), 'whatsapp', dispatcher);
      expect(status, JSON.stringify(rule)).to.equal('unknown');
    }
    await dispatcher.close();
  });

  it('is refused after 131000 if Meta says that it is certain', async () => {
    await start();
    meta.refuseWith({ code: 131000, isTransient: false });
    expect(channelOf(await scene.call())).to.equal('sms');
    const [attempt] = scene.of('attempt.ended');
    expect(attempt).to.include({ outcome: 'refused', code: '131000' });
    expect(attempt?.providerRequestId).to.match(/^A\w{22}$/);
  });

  it('is skipped for a day by users who are not on WhatsApp', async () => {
    await start();
    meta.refuseWith({ code: 131026, times: 1 });
    await scene.call();
    await scene.call();
    expect(meta.requests).to.have.length(1);
    expect(scene.twilio.messages).to.have.length(2);
    const [suppression] = await scene.hook.suppressions(ANA.phone);
    expect(suppression).to.include({ channel: 'whatsapp', reason: 'unreachable' });
  });

  describe('is asked by ready()', () => {
    const result = async (): Promise<unknown> => (await scene.hook.ready()).channels['whatsapp'];

    it('if it accepts the token, the number and the template, and sends nothing', async () => {
      await start();
      expect(await result()).to.equal('ok');
      expect(meta.requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).to.deep.equal([
        `GET /v25.0/${meta.phoneNumberId}`,
        `GET /v25.0/${meta.accountId}/message_templates`,
      ]);
      expect(meta.messages).to.be.empty;
    });

    it('and works without the permission to read templates', async () => {
      await start();
      meta.configure({ mayManage: false });
      expect(await result()).to.equal('ok');
    });

    it('and works without the health status, which names the account', async () => {
      await start();
      meta.fault({ kind: 'status', status: 200, body: { id: meta.phoneNumberId } });
      expect(await result()).to.equal('ok');
    });

    for (const [title, change, providerCode, message] of [
      [
        'another token',
        () => ({ accessToken: 'another-token' }),
        '190',
        /^Meta does not accept the access token$/,
      ],
      ['another number', () => ({ phoneNumberId: '123456789' }), '100', /^Meta does not accept the request$/],
      [
        'a blocked number',
        () => meta.configure({ health: 'BLOCKED' }),
        'BLOCKED',
        /^Meta lets the number send nothing: it blocks the number$/,
      ],
      [
        'another template',
        () => ({ templates: { name: 'okta', languages: { default: 'en_US' } } }),
        '132001',
        /^The WhatsApp account has no such template in en_US$/,
      ],
      [
        'a language that is absent',
        () => ({ templates: { name: 'okta_code', languages: { default: 'en_US', fr: 'fr' } } }),
        '132001',
        /^The WhatsApp account has no such template in fr$/,
      ],
      [
        'a template in review',
        () => meta.addTemplate({ name: 'okta_code', language: 'pt_BR', status: 'PENDING' }),
        '132001',
        /^The template in pt_BR is not approved: PENDING$/,
      ],
      [
        'a template that is paused',
        () => meta.addTemplate({ name: 'okta_code', language: 'pt_BR', status: 'PAUSED' }),
        '132015',
        /^The template in pt_BR is not approved: PAUSED$/,
      ],
      [
        'a template that is disabled',
        () => meta.addTemplate({ name: 'okta_code', language: 'pt_BR', status: 'DISABLED' }),
        '132016',
        /^The template in pt_BR is not approved: DISABLED$/,
      ],
      [
        'a marketing template',
        () => meta.addTemplate({ name: 'okta_code', language: 'en_US', category: 'MARKETING' }),
        '131049',
        /^The template in en_US has the category MARKETING$/,
      ],
    ] as const) {
      it(`and fails with ${title}`, async () => {
        await start(change() ?? {});
        expect(await result())
          .to.include({ code: 'PROVIDER_REFUSED', providerCode })
          .and.to.have.property('message')
          .that.matches(message);
      });
    }

    for (const [title, fault, code] of [
      ['a gateway', { kind: 'html', status: 200 }, 'PROVIDER_UNREADABLE'],
      ['nobody', { kind: 'reset' }, 'PROVIDER_UNREACHABLE'],
    ] as const) {
      it(`and fails if ${title} answers`, async () => {
        await start();
        meta.fault(fault);
        expect(await result()).to.include({ code });
      });
    }
  });
});

describe('the options of whatsAppCloud', () => {
  const fine = {
    phoneNumberId: '106540352242922',
    accessToken: 'EAAG-token',
    templates: { name: 'otp', languages: { default: 'en_US', pt: 'pt_BR' } },
    appSecret: 'app-secret-one',
    verifyToken: 'verify-me',
  };

  it('are accepted if valid, otherwise refused with every problem, its remedy and no value', () => {
    mustNotShow('kept-for-me');
    const cases: readonly (readonly [unknown, ...RegExp[]])[] = [
      [fine],
      [{ ...fine, appSecret: ['one', 'two'], apiVersion: 'v26.0', baseUrl: 'http://127.0.0.1:4010' }],
      [{ ...fine, apiVersion: undefined, baseUrl: undefined }],
      [undefined, /^The options must be an object/],
      [
        {},
        /^phoneNumberId must be the id of the number/,
        /^accessToken must be/,
        /^templates must be \{ name, languages \}/,
        /^appSecret must be the app's secret/,
        /^verifyToken must be/,
      ],
      [{ ...fine, phoneNumberId: '+14155550199' }, /^phoneNumberId must be.*not the number itself$/],
      [{ ...fine, accessToken: 'kept-for-me with spaces' }, /^accessToken must be/],
      [{ ...fine, templates: { name: 'otp', languages: { pt: 'pt_BR' } } }, /^templates must be.*default/],
      [{ ...fine, templates: { name: 'Okta Code', languages: { default: 'en_US' } } }, /^templates must be/],
      [{ ...fine, templates: { name: 'otp', languages: { default: 'en-US' } } }, /^templates must be/],
      [{ ...fine, apiVersion: '25' }, /^apiVersion must be a version of the Graph API, such as v25\.0/],
      [{ ...fine, appSecret: ['kept-for-me'] }, /^appSecret must be.*a list of the current and the next/],
      [{ ...fine, appSecret: [] }, /^appSecret must be/],
      [{ ...fine, appSecret: ['one', ''] }, /^appSecret must be/],
      [{ ...fine, verifyToken: '' }, /^verifyToken must be/],
      [{ ...fine, baseUrl: 'http://graph.example' }, /^baseUrl must be.*graph\.facebook\.com; https/],
      [{ ...fine, appsecret: 'kept-for-me' }, /^appsecret is not an option; did you mean appSecret\?/],
    ];
    for (const [options, ...expected] of cases) {
      const problems = problemsOf(() => whatsAppCloud(options as WhatsAppCloudOptions));
      expect(problems, JSON.stringify(expected.map(String))).to.have.length(expected.length);
      expected.forEach((pattern, index) => expect(problems[index]).to.match(pattern));
    }
  });

  it('cannot be mounted as voice', () => {
    const channel = whatsAppCloud(fine);
    const connect = (): unknown =>
      typeof channel === 'function' ? channel({ channel: 'voice' } as never) : undefined;
    expect(problemsOf(connect)[0]).to.match(/^whatsAppCloud sends texts/);
  });
});
