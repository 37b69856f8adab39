import { expect } from 'chai';
import type { Channel, Message } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { ANA, CODE, HOOK_SECRET, commandOf, errorOf, startScene, type Scene } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';

type Plain = Record<string, unknown>;

/** Okta's documented example, with fictional phone numbers. */
const documented = (): Plain => ({
  eventId: 'q7T0aBcdS1uWxYz2345678',
  eventTime: '2026-03-01T10:00:00.000Z',
  eventType: 'com.okta.telephony.provider',
  eventTypeVersion: '1.0',
  contentType: 'application/json',
  cloudEventVersion: '0.1',
  source: 'https://acme.okta.com/api/v1/inlineHooks/calabc123XYZ0001d7',
  requestType: 'com.okta.user.telephony.mfa-verification',
  data: {
    context: {
      request: {
        id: 'reqAbCdEf123',
        method: 'POST',
        url: { value: '/idp/idx/challenge' },
        ipAddress: '203.0.113.7',
      },
    },
    userProfile: { firstName: ANA.firstName, lastName: ANA.lastName, login: ANA.login, userId: ANA.id },
    messageProfile: {
      msgTemplate: `Your code is ${CODE}`,
      phoneNumber: ANA.phone,
      otpExpires: '2026-03-01T10:05:00.000Z',
      deliveryChannel: 'SMS',
      otpCode: CODE,
      locale: 'EN-US',
    },
  },
});
const DOCUMENTED_AT = Date.parse('2026-03-01T10:00:00.000Z');
const MINUTE = 60_000;

/** Sets the field at a dotted path of Okta's payload. `undefined` leaves the field out. */
const withField =
  (path: string, value: unknown) =>
  (payload: Plain): Plain => {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let place = payload;
    for (const key of keys) place = place[key] as Plain;
    // As JSON.parse does it, so that `__proto__` is an ordinary field.
    Object.defineProperty(place, last, { value, enumerable: true, configurable: true, writable: true });
    return payload;
  };

describe('a hook call', () => {
  let scene: Scene;
  let now: number;
  const sent: Message[] = [];
  const stub = (name: string): Channel => ({
    send: (message) => {
      sent.push(message);
      return Promise.resolve({ status: 'accepted', transactionId: `${name}-1` });
    },
  });
  before(async () => {
    scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        senders: undefined,
        channels: { sms: stub('sms'), voice: stub('voice') },
        clock: () => now,
      },
    });
  });
  beforeEach(() => {
    now = Date.now();
    sent.length = 0;
    scene.log.length = 0;
    scene.events.length = 0;
    mustNotShow(CODE, HOOK_SECRET, ANA.login, ANA.firstName, ANA.lastName, ANA.phone.slice(1));
  });
  after(() => scene.close());

  const only = (): Message => {
    expect(sent).to.have.length(1);
    return sent[0]!;
  };
  const change = (changed: (payload: Plain) => unknown): Promise<HookCall> => scene.call({ change: changed });
  /** Sends a body as text, so that it can contain what an object cannot. */
  const send = (text: string): Promise<HookCall> => scene.call({ change: () => text });

  describe('in the documented form', () => {
    it('is read with all its fields', async () => {
      now = DOCUMENTED_AT + 200;
      const call = await change(documented);
      expect(call.okta.action).to.equal('sent');
      const { request } = only();
      const { raw, ...read } = request;
      expect(read).to.deep.equal({
        eventId: 'q7T0aBcdS1uWxYz2345678',
        requestType: 'com.okta.user.telephony.mfa-verification',
        deliveryChannel: 'sms',
        phoneNumber: ANA.phone,
        otpCode: CODE,
        expiresAt: new Date(now + 5 * MINUTE),
        msgTemplate: `Your code is ${CODE}`,
        locale: 'en-US',
        userId: ANA.id,
        login: ANA.login,
        firstName: ANA.firstName,
        lastName: ANA.lastName,
        ipAddress: '203.0.113.7',
        oktaRequestId: 'reqAbCdEf123',
      });
      expect(raw).to.deep.equal(documented());
    });

    const variants: readonly (readonly [what: string, change: (payload: Plain) => Plain, read: Plain])[] = [
      [
        'with a code that is a number',
        withField('data.messageProfile.otpCode', Number(CODE)),
        { otpCode: CODE },
      ],
      [
        'with a code that begins with 0',
        withField('data.messageProfile.otpCode', '004981'),
        { otpCode: '004981' },
      ],
      ['with a code of letters', withField('data.messageProfile.otpCode', 'AB12-cd'), { otpCode: 'AB12-cd' }],
      [
        'with separators in the phone number',
        withField('data.messageProfile.phoneNumber', ' +44 (7700) 900-123 '),
        { phoneNumber: ANA.phone },
      ],
      [
        'with a phone number that begins with 00',
        withField('data.messageProfile.phoneNumber', '00447700900123'),
        { phoneNumber: ANA.phone },
      ],
      [
        'without requestType, as in the OpenAPI example',
        withField('requestType', undefined),
        { requestType: undefined },
      ],
      [
        'with an unknown requestType',
        withField('requestType', 'com.okta.user.telephony.new-kind'),
        { requestType: 'com.okta.user.telephony.new-kind' },
      ],
      [
        'with a last name that is also a word of each requestType',
        withField('data.userProfile.lastName', 'User'),
        { lastName: 'User', requestType: 'com.okta.user.telephony.mfa-verification' },
      ],
      [
        'without msgTemplate',
        withField('data.messageProfile.msgTemplate', undefined),
        { msgTemplate: undefined },
      ],
      ['without a user', withField('data.userProfile', undefined), { userId: undefined, login: undefined }],
      [
        'without a context',
        withField('data.context', undefined),
        { ipAddress: undefined, oktaRequestId: undefined },
      ],
      [
        'with a locale in another spelling',
        withField('data.messageProfile.locale', 'pt_br'),
        { locale: 'pt-BR' },
      ],
      [
        'without its locale if that is invalid',
        withField('data.messageProfile.locale', 'English!'),
        { locale: undefined },
      ],
      ['with unknown fields', withField('data.messageProfile.channelHint', { a: [1] }), { otpCode: CODE }],
      ['with an unknown field of the envelope', withField('debugContext', { a: 1 }), { otpCode: CODE }],
    ];
    for (const [what, changed, read] of variants) {
      it(`is read ${what}`, async () => {
        const call = await change((payload) =>
          changed({
            ...documented(),
            eventId: payload['eventId'],
            eventTime: payload['eventTime'],
            data: {
              ...(documented()['data'] as Plain),
              messageProfile: {
                ...((documented()['data'] as Plain)['messageProfile'] as Plain),
                otpExpires: undefined,
              },
            },
          }),
        );
        expect(call.okta.action).to.equal('sent');
        expect(only().request).to.deep.include(read);
      });
    }

    for (const [what, userId] of [
      ['the login', ANA.login.toUpperCase()],
      ['the phone number', ANA.phone.slice(1)],
      ['the phone number as it is dialled in its country', '07700 900-123'],
      ['the phone number in full-width digits', '０７７００９００１２３'],
      ['the phone number in Arabic-Indic digits', '٤٤٧٧٠٠٩٠٠١٢٣'],
      ['the code', CODE],
      ['the code in Arabic-Indic digits', '٢٠٤٩٨١'],
      ['the code in full-width digits, separated', '２０４－９８１'],
    ] as const) {
      it(`drops a user id that equals ${what}, and finds the user by login`, async () => {
        mustNotShow(userId);
        const call = await change(withField('data.userProfile.userId', userId));
        expect(call.okta.action).to.equal('sent');
        expect(only().request).to.include({ userId: undefined, login: ANA.login });
        expect(scene.okta.requests.map(({ path }) => path)).to.include(
          `/api/v1/users/${encodeURIComponent(ANA.login)}`,
        );
      });
    }

    for (const path of [
      'eventId',
      'eventTime',
      'requestType',
      'data.userProfile',
      'data.userProfile.userId',
      'data.userProfile.login',
      'data.userProfile.firstName',
      'data.context',
      'data.context.request',
      'data.context.request.id',
      'data.messageProfile.locale',
      'data.messageProfile.msgTemplate',
      'data.messageProfile.otpExpires',
    ]) {
      it(`is read even if ${path} has an unexpected type`, async () => {
        for (const value of [null, 4711, true, [], {}, '']) {
          sent.length = 0;
          expect((await change(withField(path, value))).okta.action).to.equal('sent');
          expect(only().request.otpCode).to.equal(CODE);
        }
      });
    }
  });

  describe('with deliveryChannel', () => {
    const spellings: readonly (readonly [channel: 'sms' | 'voice', ...spellings: string[]])[] = [
      ['sms', 'SMS', 'sms', 'Sms', ' SMS '],
      [
        'voice',
        'CALL',
        'call',
        'Voice',
        'VOICE',
        'voice call',
        'Voice Call',
        'VOICE_CALL',
        'voice-call',
        'phone call',
        ' Phone  Call ',
      ],
    ];
    for (const [channel, ...texts] of spellings) {
      for (const text of texts) {
        it(`"${text}" requests ${channel}`, async () => {
          const call = await scene.call({ deliveryChannel: text });
          expect(only().request.deliveryChannel).to.equal(channel);
          expect(commandOf(call)?.['transactionId']).to.equal(`${channel}-1`);
        });
      }
    }
    for (const value of [
      'EMAIL',
      'whatsapp',
      'sms call',
      'smsvoice',
      '',
      ' ',
      'constructor',
      '__proto__',
      null,
      1,
      ['SMS'],
      undefined,
    ]) {
      it(`${JSON.stringify(value) as string | undefined} is refused: 400, and the error names the field`, async () => {
        const call = await change(withField('data.messageProfile.deliveryChannel', value));
        expect(call.httpStatus).to.equal(400);
        expect(errorOf(call)?.errorCauses?.map(({ location }) => location)).to.deep.equal([
          'data.messageProfile.deliveryChannel',
        ]);
        expect(sent).to.be.empty;
      });
    }
  });

  describe('with an invalid body', () => {
    const missing: readonly (readonly [what: string, body: unknown, ...fields: string[]])[] = [
      ['null', null, 'body'],
      ['a string', 'Attack-value-31', 'body'],
      ['an array', [{ otpCode: 'Attack-value-31' }], 'body'],
      ['an empty object', {}, 'data'],
      ['data that is not an object', { data: 'Attack-value-31' }, 'data'],
      ['data without messageProfile', { data: {} }, 'data.messageProfile'],
      [
        'an empty messageProfile',
        { data: { messageProfile: {} } },
        'data.messageProfile.phoneNumber',
        'data.messageProfile.otpCode',
        'data.messageProfile.deliveryChannel',
      ],
      [
        'the body of an Okta event hook',
        { eventType: 'com.okta.event_hook', data: { events: [] } },
        'data.messageProfile',
      ],
    ];
    for (const [what, body, ...fields] of missing) {
      it(`is refused for ${what}: the error and the log name the fields`, async () => {
        const call = await send(JSON.stringify(body));
        expect(call.httpStatus).to.equal(400);
        expect(errorOf(call)?.errorCauses?.map(({ location }) => location)).to.deep.equal(fields);
        expect(JSON.stringify(call.body)).to.not.include('Attack-value-31');
        expect(scene.log.map(({ fields: logged }) => logged['fields'])).to.deep.equal([fields]);
      });
    }

    const wrong: readonly (readonly [field: string, ...values: unknown[]])[] = [
      [
        'otpCode',
        undefined,
        null,
        '',
        ' ',
        {},
        [CODE],
        true,
        -204981,
        204.981,
        'with spaces 204981',
        '204981<script>',
        '1'.repeat(33),
      ],
      ['phoneNumber', undefined, null, '', ' ', {}, [ANA.phone], true, '4'.repeat(65)],
    ];
    for (const [field, ...values] of wrong) {
      it(`is refused for an invalid ${field}: the error names the field, not the value`, async () => {
        for (const value of values) {
          const call = await change(withField(`data.messageProfile.${field}`, value));
          const shown = JSON.stringify(value) as string | undefined;
          expect(call.httpStatus, shown).to.equal(400);
          expect(
            errorOf(call)?.errorCauses?.map(({ location }) => location),
            shown,
          ).to.deep.equal([`data.messageProfile.${field}`]);
          if (typeof value === 'string' && value.length > 4)
            expect(JSON.stringify(call.body)).to.not.include(value);
        }
        expect(sent).to.be.empty;
      });
    }

    for (const path of ['', 'data.', 'data.messageProfile.']) {
      it(`is refused if required fields come only through "${path}__proto__"`, async () => {
        const whole = documented();
        const data = whole['data'] as Plain;
        const inner = path === '' ? whole : path === 'data.' ? data : (data['messageProfile'] as Plain);
        const fake = Object.fromEntries(
          Object.entries(inner).filter(([key]) => key !== 'deliveryChannel' || path !== ''),
        );
        const proto = `{"__proto__":${JSON.stringify(fake)}}`;
        const text =
          path === ''
            ? proto
            : path === 'data.'
              ? `{"data":${proto}}`
              : `{"data":{"messageProfile":${proto}}}`;
        const call = await send(text);
        expect(call.httpStatus).to.equal(400);
        expect(sent).to.be.empty;
      });
    }

    it('does not change Object.prototype', async () => {
      const text = JSON.stringify(documented()).replace(
        '{',
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
      );
      await send(text);
      expect(({} as Plain)['polluted']).to.equal(undefined);
    });
  });

  describe('has a code whose lifetime', () => {
    const lives: readonly (readonly [
      what: string,
      eventTime: unknown,
      otpExpires: unknown,
      lifeMs: number,
    ])[] = [
      ['is the time from eventTime to otpExpires', 0, 3 * MINUTE, 3 * MINUTE],
      ['is at most 15 minutes', 0, 60 * MINUTE, 15 * MINUTE],
      ['is 5 minutes without eventTime', undefined, 3 * MINUTE, 5 * MINUTE],
      ['is 5 minutes without otpExpires', 0, undefined, 5 * MINUTE],
      ['is 5 minutes if eventTime is not a date', 'yesterday', 3 * MINUTE, 5 * MINUTE],
      ['is 5 minutes if otpExpires is not a date', 0, 'soon', 5 * MINUTE],
      ['is 5 minutes if otpExpires equals eventTime', 0, 0, 5 * MINUTE],
      ['is 5 minutes if otpExpires is before eventTime', MINUTE, 0, 5 * MINUTE],
      [
        "counts from receipt if the gateway's clock is six minutes ahead of Okta's",
        -6 * MINUTE,
        -MINUTE,
        5 * MINUTE,
      ],
      [
        "counts from receipt if the gateway's clock is six minutes behind Okta's",
        6 * MINUTE,
        11 * MINUTE,
        5 * MINUTE,
      ],
      ['counts from receipt up to 120 s after otpExpires', -7 * MINUTE, -2 * MINUTE, 5 * MINUTE],
    ];
    const asTime = (value: unknown): unknown =>
      typeof value === 'number' ? new Date(now + value).toISOString() : value;
    for (const [what, eventTime, otpExpires, lifeMs] of lives) {
      it(what, async () => {
        const call = await change((payload) =>
          withField(
            'data.messageProfile.otpExpires',
            asTime(otpExpires),
          )(withField('eventTime', asTime(eventTime))(payload)),
        );
        expect(call.okta.action).to.equal('sent');
        expect(only().expiresAt.getTime() - now).to.equal(lifeMs);
      });
    }

    it('is over more than 120 s after otpExpires: no message, no request to Okta', async () => {
      scene.okta.requests.length = 0;
      const call = await scene.call({
        otpExpires: new Date(now - 120_001),
        eventTime: new Date(now - 7 * MINUTE),
      });
      expect(call.httpStatus).to.equal(200);
      expect(call.okta.action).to.equal('error');
      expect(errorOf(call)?.errorCauses).to.have.length(1);
      expect(errorOf(call)?.errorCauses?.[0]?.['reason']).to.match(/^CODE_EXPIRED: /);
      expect(scene.log.at(-1)?.fields['remedy']).to.match(/^Check the gateway's clock/);
      expect(sent).to.be.empty;
      expect(scene.okta.requests).to.be.empty;
    });
  });

  describe('with a skewed clock', () => {
    const skews = (): unknown[] =>
      scene.log
        .filter(({ fields }) => fields['event'] === 'clock.skewed')
        .map(({ fields }) => fields['skewMs']);
    const at = (offsetMs: number): Promise<HookCall> =>
      scene.call({ eventTime: new Date(Math.floor(now) + offsetMs) });

    it('logs clock.skewed above 30 s either way, at most once a minute, never for a preview', async () => {
      now = Date.now() + 60 * MINUTE;
      await at(-30_000);
      await at(30_000);
      expect(skews()).to.deep.equal([]);
      await at(-30_001);
      await at(-31_000);
      expect(skews()).to.deep.equal([30_001]);
      now += 59_999;
      await at(-31_000);
      expect(skews()).to.have.length(1);
      now += 1;
      await at(31_000);
      expect(skews()).to.deep.equal([30_001, -31_000]);
      now += MINUTE;
      await scene.call({ eventTime: new Date(now - 90_000), preview: true });
      expect(skews(), 'the eventTime of a preview is when the page was opened').to.have.length(2);
    });
  });

  describe('with the phone number', () => {
    const undialable = [
      '9876543210',
      9_876_543_210,
      '+0441234567',
      '+44',
      '+1234567890123456',
      '+44770090012x',
      'call me',
      '+44 7700 900123 ext 4',
      '++447700900123',
    ];
    // Titles are printed, and no output may contain Ana's number.
    const title = (value: unknown): string => JSON.stringify(value).replace('447700', '44…');
    for (const value of undialable) {
      it(`${title(value)} is answered with NO_DIALABLE_NUMBER and sends nothing`, async () => {
        const call = await change(withField('data.messageProfile.phoneNumber', value));
        expect(call.httpStatus).to.equal(200);
        expect(call.okta.action).to.equal('error');
        expect(errorOf(call)?.errorCauses).to.have.length(1);
        expect(errorOf(call)?.errorCauses?.[0]?.['reason']).to.match(/^NO_DIALABLE_NUMBER: /);
        expect(scene.log.at(-1)?.fields['remedy']).to.include('set defaultCountry');
        expect(JSON.stringify(call.body)).to.not.include(String(value));
        expect(sent).to.be.empty;
      });
    }
    for (const value of ['+447700900123', '+1234567', '+123456789012345', '+7 (700) 900.12-34']) {
      it(`${title(value)} sends to it, written in E.164`, async () => {
        await change(withField('data.messageProfile.phoneNumber', value));
        expect(only().to).to.equal(`+${value.replace(/\D/g, '')}`);
      });
    }

    it('of defaultCountry, without a +, sends to it in E.164', async () => {
      const withDefault = await startScene({
        hook: {
          sandboxNumber: undefined,
          senders: undefined,
          channels: { sms: stub('sms') },
          defaultCountry: 'GB',
        },
      });
      try {
        for (const number of ['07700 900123', 7_700_900_123]) {
          sent.length = 0;
          const call = await withDefault.call({ phoneNumber: number });
          expect(call.okta.action).to.equal('sent');
          expect(only().to).to.equal(ANA.phone);
        }
      } finally {
        await withDefault.close();
      }
    });
  });

  describe('is answered', () => {
    const expectTexts = (value: unknown): void => {
      for (const field of Object.values(value as Plain)) expect(field).to.be.a('string').and.not.equal('');
    };
    const expectHeaders = (call: HookCall): void => {
      expect(call.headers['cache-control']).to.equal('no-store, no-transform');
      expect(call.headers['content-type']).to.equal('application/json; charset=utf-8');
      expect(call.headers['content-length']).to.equal(String(Buffer.byteLength(JSON.stringify(call.body))));
    };

    it('with one command of strings, its metadata a list of name=value pairs', async () => {
      const call = await scene.call({ eventId: 'event-42' });
      expectHeaders(call);
      const body = call.body as { commands: { type: string; value: unknown[] }[] };
      expect(Object.keys(body)).to.deep.equal(['commands']);
      expect(body.commands).to.have.length(1);
      expect(Object.keys(body.commands[0]!)).to.have.members(['type', 'value']);
      expect(body.commands[0]!.type).to.equal('com.okta.telephony.action');
      expect(body.commands[0]!.value).to.have.length(1);
      expectTexts(commandOf(call));
      expect(commandOf(call)).to.have.all.keys('status', 'provider', 'transactionId', 'transactionMetadata');
      expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'SMS', transactionId: 'sms-1' });
      expect(commandOf(call)?.['transactionMetadata']).to.match(
        /^channel=sms;requestType=com\.okta\.user\.telephony\.mfa-verification;Duration=\d+ms;id=event-42$/,
      );
    });

    it('with digests of ids that contain the code, the login or a name', async () => {
      const call = await scene.call({
        eventId: `event-${ANA.lastName}`,
        requestType: `type-${CODE}`,
        change: (payload) => {
          const { data } = payload as { data: { context: { request: { id: string } } } };
          data.context.request.id = ANA.login;
          return payload;
        },
      });
      expect(call.okta.action).to.equal('sent');
      expect(commandOf(call)?.['transactionMetadata']).to.match(/;requestType=[\w-]{43};.*;id=[\w-]{43}$/);
    });

    it('with intact metadata pairs even if an id contains separators', async () => {
      const call = await scene.call({ eventId: 'a;b=c\r\nd', requestType: 'x;channel=voice,refused=y.z' });
      const pairs = commandOf(call)?.['transactionMetadata']?.split(';') ?? [];
      expect(pairs.map((pair) => pair.split('=').length)).to.deep.equal([2, 2, 2, 2]);
      expect(pairs.map((pair) => pair.split('=')[0])).to.deep.equal([
        'channel',
        'requestType',
        'Duration',
        'id',
      ]);
    });

    it('with an error of strings, the user as its location, if nothing goes out', async () => {
      const call = await scene.call({ phoneNumber: '123' });
      expectHeaders(call);
      const { error } = call.body as { error: Plain };
      expect(Object.keys(call.body as Plain)).to.deep.equal(['error']);
      expect(error).to.be.an('object').and.have.all.keys('errorSummary', 'errorCauses');
      expect(error['errorSummary']).to.be.a('string');
      const [cause] = errorOf(call)?.errorCauses ?? [];
      expect(cause).to.have.all.keys('errorSummary', 'reason', 'locationType', 'location', 'domain');
      expectTexts(cause);
      expect(cause).to.include({ locationType: 'userId', location: ANA.id });
    });

    it('with an error of strings if the request is refused', async () => {
      const call = await send('{}');
      expectHeaders(call);
      const { error } = call.body as { error: Plain };
      expect(error).to.have.all.keys('errorSummary', 'errorCauses');
      expectTexts(errorOf(call)?.errorCauses?.[0]);
      witness(call.body);
    });

    it('with the one cause CHANNEL_NOT_CONFIGURED if no channel fits deliveryChannel', async () => {
      const bare = await startScene({
        hook: { sandboxNumber: undefined, senders: undefined, channels: { line: stub('line') } },
      });
      try {
        for (const deliveryChannel of ['SMS', 'CALL']) {
          const call = await bare.call({ deliveryChannel });
          expect(call.httpStatus).to.equal(200);
          expect(errorOf(call)?.errorCauses?.map(({ reason }) => reason?.split(':')[0])).to.deep.equal([
            'CHANNEL_NOT_CONFIGURED',
          ]);
          expect(bare.log.at(-1)?.fields).to.include({
            code: 'CHANNEL_NOT_CONFIGURED',
            remedy: 'Add senders.sms or senders.voice, or a channel of that name.',
          });
        }
        expect(sent).to.be.empty;
      } finally {
        await bare.close();
      }
    });
  });
});
