import { expect } from 'chai';
import type { Channel, Message } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import {
  ANA,
  causesOf,
  CODE,
  HOOK_SECRET,
  commandOf,
  errorOf,
  startScene,
  type Scene,
} from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';

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
/** The path of the message, and the beginning of each request type. */
const MESSAGE = 'data.messageProfile';
const KIND = 'com.okta.user.telephony';

/** Values that are no text. */
const NO_TEXT = [undefined, null, '', ' ', {}, true];

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

/** JSON whose object inherits its fields, for a parser that reads `__proto__` as such. */
const proto = (fields: unknown): string => `{"__proto__":${JSON.stringify(fields)}}`;

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
  const locationsOf = (call: HookCall): unknown[] | undefined =>
    errorOf(call)?.errorCauses?.map(({ location }) => location);
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

    const variants: readonly (readonly [what: string, path: string, value: unknown, read: Plain])[] = [
      ['a code that is a number', `${MESSAGE}.otpCode`, Number(CODE), { otpCode: CODE }],
      ['a code that is 0', `${MESSAGE}.otpCode`, 0, { otpCode: '0' }],
      ['a code that begins with 0', `${MESSAGE}.otpCode`, '004981', { otpCode: '004981' }],
      ['a code of letters', `${MESSAGE}.otpCode`, 'AB12-cd', { otpCode: 'AB12-cd' }],
      [
        'separators in the number',
        `${MESSAGE}.phoneNumber`,
        ' +44 (7700) 900-123 ',
        { phoneNumber: ANA.phone },
      ],
      [
        'a number that begins with 00',
        `${MESSAGE}.phoneNumber`,
        '00447700900123',
        { phoneNumber: ANA.phone },
      ],
      ['no requestType, as in the OpenAPI example', 'requestType', undefined, { requestType: undefined }],
      ['an unknown requestType', 'requestType', `${KIND}.new-kind`, { requestType: `${KIND}.new-kind` }],
      [
        'a last name that is also a word of each requestType',
        'data.userProfile.lastName',
        'User',
        { lastName: 'User', requestType: `${KIND}.mfa-verification` },
      ],
      ['no msgTemplate', `${MESSAGE}.msgTemplate`, undefined, { msgTemplate: undefined }],
      ['no user', 'data.userProfile', undefined, { userId: undefined, login: undefined }],
      ['no context', 'data.context', undefined, { ipAddress: undefined, oktaRequestId: undefined }],
      ['a locale in another spelling', `${MESSAGE}.locale`, 'pt_br', { locale: 'pt-BR' }],
      ['an invalid locale, which is left out', `${MESSAGE}.locale`, 'English!', { locale: undefined }],
      ['unknown fields', `${MESSAGE}.channelHint`, { a: [1] }, { otpCode: CODE }],
      ['an unknown field of the envelope', 'debugContext', { a: 1 }, { otpCode: CODE }],
    ];
    for (const [what, path, value, read] of variants) {
      it(`is read with ${what}`, async () => {
        const call = await change(({ eventId, eventTime }) => {
          const whole = { ...documented(), eventId, eventTime };
          withField(`${MESSAGE}.otpExpires`, undefined)(whole);
          return withField(path, value)(whole);
        });
        expect(call.okta.action).to.equal('sent');
        expect(only().request).to.deep.include(read);
      });
    }

    for (const [what, userId] of [
      ['the login', ANA.login.toUpperCase()],
      ['the phone number', ANA.phone.slice(1)],
      ['the phone number behind 00', `00${ANA.phone.slice(1)}`],
      ['the phone number as a URL', 'tel:+44-7700-900123'],
      ['the phone number behind a word', `phone-${ANA.phone.slice(1)}`],
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
      ['voice', 'CALL', 'call', 'Voice', 'VOICE', 'voice call', 'Voice Call'],
      ['voice', 'VOICE_CALL', 'voice-call', 'VoiceCall', 'phone call', ' Phone  Call '],
    ];
    for (const [channel, ...texts] of spellings) {
      it(`requests ${channel} by ${texts.join(', ')}`, async () => {
        for (const text of texts) {
          sent.length = 0;
          const call = await scene.call({ deliveryChannel: text });
          expect(only().request.deliveryChannel).to.equal(channel);
          expect(commandOf(call)?.['transactionId']).to.equal(`${channel}-1`);
        }
      });
    }
    it('of another spelling is refused: 400, and the error names the field', async () => {
      const others = ['EMAIL', 'whatsapp', 'sms call', 'smsvoice', 'constructor', '__proto__', 1, ['SMS']];
      for (const value of [...others, ...NO_TEXT]) {
        const call = await change(withField(`${MESSAGE}.deliveryChannel`, value));
        expect(call.httpStatus, String(value)).to.equal(400);
        expect(locationsOf(call)).to.deep.equal([`${MESSAGE}.deliveryChannel`]);
      }
      expect(sent).to.be.empty;
    });
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
        expect(locationsOf(call)).to.deep.equal(fields);
        expect(JSON.stringify(call.body)).to.not.include('Attack-value-31');
        expect(scene.log.map(({ fields: logged }) => logged['fields'])).to.deep.equal([fields]);
      });
    }

    const wrong: readonly (readonly [field: string, ...values: unknown[]])[] = [
      ['otpCode', ...NO_TEXT, [CODE], -204981, 204.981, 2 ** 53],
      ['otpCode', 'with spaces 204981', '204981<script>', '1'.repeat(33)],
      ['phoneNumber', ...NO_TEXT, [ANA.phone], 1e21, '4'.repeat(65)],
    ];
    for (const [field, ...values] of wrong) {
      it(`is refused for ${values.length} invalid values of ${field}: the error names the field, not the value`, async () => {
        for (const value of values) {
          const call = await change(withField(`data.messageProfile.${field}`, value));
          const shown = JSON.stringify(value) as string | undefined;
          expect(call.httpStatus, shown).to.equal(400);
          expect(errorOf(call)?.errorSummary).to.equal('The request is not one of a telephony inline hook.');
          expect(locationsOf(call), shown).to.deep.equal([`${MESSAGE}.${field}`]);
          if (typeof value === 'string' && value.length > 4)
            expect(JSON.stringify(call.body)).to.not.include(value);
        }
        expect(sent).to.be.empty;
      });
    }

    for (const [path, bodyOf] of [
      ['', (whole: Plain) => proto(whole)],
      ['data.', ({ data }: Plain) => `{"data":${proto(data)}}`],
      [
        `${MESSAGE}.`,
        ({ data }: Plain) => `{"data":{"messageProfile":${proto((data as Plain)['messageProfile'])}}}`,
      ],
    ] as const) {
      it(`is refused if required fields come only through "${path}__proto__"`, async () => {
        expect((await send(bodyOf(documented()))).httpStatus).to.equal(400);
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
      expect(causesOf(call)).to.deep.equal(['CODE_EXPIRED']);
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
        expect(causesOf(call)).to.deep.equal(['NO_DIALABLE_NUMBER']);
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

    it('with digests of ids that contain the code, the login or a name, and of no other', async () => {
      const change = (payload: object): object => {
        const { data } = payload as { data: { context: { request: { id: string } } } };
        data.context.request.id = ANA.login;
        return payload;
      };
      const other = await scene.call({ eventId: 'event-1', change });
      expect(commandOf(other)?.['transactionMetadata']).to.match(/;id=event-1$/);
      scene.events.length = 0;
      const call = await scene.call({
        eventId: `event-${ANA.lastName}`,
        requestType: `type-${CODE}`,
        change,
      });
      expect(call.okta.action).to.equal('sent');
      expect(commandOf(call)?.['transactionMetadata']).to.match(/;requestType=[\w-]{43};.*;id=[\w-]{43}$/);
      expect(scene.of('request.received')[0]?.oktaRequestId).to.match(/^[\w-]{43}$/);
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

    it('with the one cause CHANNEL_NOT_CONFIGURED if no channel fits deliveryChannel', async () => {
      const bare = await startScene({
        hook: { sandboxNumber: undefined, senders: undefined, channels: { line: stub('line') } },
      });
      try {
        for (const deliveryChannel of ['SMS', 'CALL']) {
          const call = await bare.call({ deliveryChannel });
          expect(call.httpStatus).to.equal(200);
          expect(causesOf(call)).to.deep.equal(['CHANNEL_NOT_CONFIGURED']);
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
