import { expect } from 'chai';
import { REQUEST_ERROR_CODES } from '#lib/core/request-error.js';
import type { Channel, OktaTelephonyHookOptions } from '#lib/index.js';
import { signWebhook } from '#lib/testing/twilio/webhook.js';
import { document, documentedAnswers, expectDocumented, schemaAt } from './docs/openapi.js';
import { HOOK_CALLS } from './docs/hook-calls.js';
import { manifest } from '#harness/consumer.js';
import { openRaw, rawRequest, type RawAnswer } from '#harness/raw-http.js';
import { ANA, CODE, HOOK_SECRET, startScene, type Scene, type SceneOptions } from '#harness/scene.js';

const PATH = '/okta/telephony';
const STATUS = `${PATH}/twilio/status`;
const INBOUND = `${PATH}/twilio/inbound`;
const EVENTS = `${PATH}/events`;
const CALLBACKS = `${PATH}/callbacks/{channel}`;

type Headers = Readonly<Record<string, string>>;
const JSON_TYPE: Headers = { 'Content-Type': 'application/json' };
const PROVEN: Headers = { ...JSON_TYPE, Authorization: HOOK_SECRET };
/** A channel whose provider says how it is to be answered. */
const ACME: Channel = {
  send: () => Promise.resolve({ status: 'accepted', transactionId: 'T1' }),
  receive: { handle: ({ rawBody }) => ({ status: Number(rawBody.toString()) }) },
};
/** Well-formed, but wrong. */
const SIGNED: Headers = { 'X-Twilio-Signature': `${'A'.repeat(27)}=` };
const CHALLENGE: Headers = { 'X-Okta-Verification-Challenge': 'challenge-1' };
const CALL = JSON.stringify({
  data: { messageProfile: { phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' } },
});
const DELIVERY = JSON.stringify({ data: { events: [] } });

/** Answers that a test does not provoke: only a defect causes them, or a wait of ten seconds. */
const NOT_PROVOKED = [
  `post ${CALLBACKS} 408`,
  ...['get', 'post'].map((method) => `${method} ${EVENTS} 500`),
  ...[PATH, STATUS, INBOUND].map((path) => `post ${path} 500`),
];

describe('the OpenAPI document', () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });
  const start = async (
    hook: Partial<Omit<OktaTelephonyHookOptions, 'credentials'>> = {},
    mount?: SceneOptions['mount'],
  ): Promise<Scene> => {
    await scene?.close();
    scene = await startScene({
      hook: ({ origin }) => ({ publicUrl: origin + PATH, channels: { acme: ACME }, ...hook }),
      ...(mount === undefined ? {} : { mount }),
    });
    return scene;
  };

  const ask = async (
    { server }: Scene,
    method: string,
    path: string,
    headers: Headers = {},
    /** `declared`: the Content-Length, if it is not the length of the body. */
    { body = '', declared = Buffer.byteLength(body) }: { body?: string; declared?: number } = {},
  ): Promise<RawAnswer> => {
    const connection = await openRaw(server);
    const target = path.replace('{channel}', 'acme');
    const all = { ...headers, ...(declared > 0 ? { 'Content-Length': String(declared) } : {}) };
    connection.socket.write(rawRequest(target, Object.entries(all), body, method.toUpperCase()));
    const [answer] = await connection.waitFor(1);
    connection.socket.destroy();
    return answer!;
  };
  const post = (to: Scene, path: string, headers: Headers, body: string): Promise<RawAnswer> =>
    ask(to, 'post', path, headers, { body });
  const postForm = (to: Scene, path: string, form: Headers): Promise<RawAnswer> => {
    const url = to.url.slice(0, -PATH.length) + path;
    const signature = signWebhook(to.twilio.authToken, url, form);
    return post(
      to,
      path,
      { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Twilio-Signature': signature },
      new URLSearchParams(form).toString(),
    );
  };

  it('accepts and rejects the same hook calls as the hook does', async () => {
    const gateway = await start();
    const fits = schemaAt('paths', PATH, 'post', 'requestBody', 'content', 'application/json', 'schema');
    const seen = { 200: 0, 400: 0 };
    for (const { what, body, isValid } of HOOK_CALLS) {
      const text = JSON.stringify(body);
      expect(fits(JSON.parse(text)), `the document: a call ${what}`).to.equal(isValid);
      const answer = await post(gateway, PATH, PROVEN, text);
      const status = isValid ? 200 : 400;
      expect(answer.status, `the hook: a call ${what}`).to.equal(status);
      expectDocumented(answer, 'post', PATH);
      seen[status] += 1;
    }
    expect(seen[200]).to.be.above(30);
    expect(seen[400]).to.be.above(30);
  });

  it('describes the answer to each outcome of a code', async () => {
    const expectAnswer = async (gateway: Scene, text: string, status: string): Promise<void> => {
      const answer = await post(gateway, PATH, PROVEN, text);
      expect(answer.body).to.include(status);
      expectDocumented(answer, 'post', PATH);
    };
    let gateway = await start();
    await expectAnswer(gateway, CALL, '"SUCCESSFUL"');
    gateway.twilio.refuseWith({ code: 63007, match: ({ form }) => form?.['To'] === `whatsapp:${ANA.phone}` });
    const byUser = JSON.stringify({
      eventId: 'event-1',
      data: {
        userProfile: { userId: ANA.id },
        messageProfile: { phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' },
      },
    });
    await expectAnswer(gateway, byUser, ';refused=whatsapp:63007"');
    gateway = await start();
    gateway.twilio.fault({ kind: 'reset' });
    await expectAnswer(gateway, CALL, '"PENDING","provider":"TWILIO"');
    gateway = await start({ guard: { countries: { allow: ['PT'] } } });
    await expectAnswer(gateway, CALL, ';blocked=COUNTRY_NOT_ALLOWED"');
    gateway = await start();
    gateway.twilio.refuseWith({ code: 21211 });
    await expectAnswer(gateway, CALL, '"21211: ');
    await expectAnswer(gateway, CALL.replace(ANA.phone, '123'), '"NO_DIALABLE_NUMBER: ');
    gateway = await start({ rollout: { sms: 0 } });
    await expectAnswer(gateway, CALL, '"ROLLED_BACK: ');
  });

  it('describes each answer of each route, and the hook gives all of them', async () => {
    const seen = new Set<string>();
    const note = (answer: RawAnswer, method: string, path: string, status: number): void => {
      expect(answer.status, `${method} ${path}`).to.equal(status);
      expectDocumented(answer, method, path);
      seen.add(`${method} ${path} ${status}`);
    };
    const callbacks = { path: CALLBACKS, headers: {}, limit: 3 * 1024 * 1024 };
    const routes = [
      { path: PATH, headers: PROVEN, limit: 64 * 1024 },
      { path: EVENTS, headers: PROVEN, limit: 1024 * 1024 },
      { path: STATUS, headers: SIGNED, limit: 64 * 1024 },
      { path: INBOUND, headers: SIGNED, limit: 64 * 1024 },
    ];

    let gateway = await start();
    note(await post(gateway, PATH, PROVEN, CALL), 'post', PATH, 200);
    note(await post(gateway, EVENTS, PROVEN, DELIVERY), 'post', EVENTS, 204);
    note(await ask(gateway, 'get', EVENTS, CHALLENGE), 'get', EVENTS, 200);
    note(await ask(gateway, 'get', EVENTS), 'get', EVENTS, 400);
    note(await post(gateway, EVENTS, PROVEN, '{}'), 'post', EVENTS, 400);
    for (const body of ['{', '{"data":7}']) note(await post(gateway, PATH, PROVEN, body), 'post', PATH, 400);
    note(await post(gateway, PATH, { ...PROVEN, 'Content-Type': 'text/plain' }, CALL), 'post', PATH, 415);
    for (const path of [PATH, EVENTS]) note(await post(gateway, path, JSON_TYPE, CALL), 'post', path, 401);
    const sid = `SM${'1'.repeat(32)}`;
    const status = { MessageSid: sid, MessageStatus: 'delivered' };
    note(await postForm(gateway, STATUS, status), 'post', STATUS, 204);
    note(await postForm(gateway, STATUS, { Nothing: 'ours' }), 'post', STATUS, 204);
    const stop = { MessageSid: sid, From: `whatsapp:${ANA.phone}`, Body: 'STOP' };
    note(await postForm(gateway, INBOUND, stop), 'post', INBOUND, 200);
    note(await postForm(gateway, INBOUND, { Nothing: 'ours' }), 'post', INBOUND, 200);
    for (const path of [STATUS, INBOUND])
      for (const headers of [SIGNED, {}]) note(await post(gateway, path, headers, 'A=1'), 'post', path, 403);
    for (const status of [200, 401, 500])
      note(await post(gateway, CALLBACKS, {}, String(status)), 'post', CALLBACKS, status);
    for (const { path, headers, limit } of [...routes, callbacks]) {
      note(await ask(gateway, 'put', path, headers), 'post', path, 405);
      const tooLong = await ask(gateway, 'post', path, headers, { body: '{', declared: limit + 1 });
      note(tooLong, 'post', path, 413);
    }
    note(await ask(gateway, 'delete', EVENTS), 'get', EVENTS, 405);

    gateway = await start({ deadlineMs: 500 });
    for (const { path, headers } of routes) {
      const slow = await ask(gateway, 'post', path, headers, { body: '{', declared: 9 });
      note(slow, 'post', path, 408);
    }

    // Another middleware has read the body.
    gateway = await start({}, (app, hook) => {
      app.use((req, _res, next) => {
        req.resume().on('end', next);
      });
      app.use(hook);
    });
    for (const { path, headers } of [...routes, callbacks])
      note(await post(gateway, path, headers, CALL), 'post', path, 400);

    gateway = await start();
    await gateway.hook.close();
    for (const path of [PATH, EVENTS]) note(await post(gateway, path, PROVEN, CALL), 'post', path, 503);
    note(await ask(gateway, 'get', EVENTS, CHALLENGE), 'get', EVENTS, 503);
    note(await postForm(gateway, STATUS, status), 'post', STATUS, 503);
    note(await postForm(gateway, INBOUND, stop), 'post', INBOUND, 503);
    note(await post(gateway, CALLBACKS, {}, '200'), 'post', CALLBACKS, 503);

    expect(documentedAnswers).to.include.members(NOT_PROVOKED);
    expect([...seen].sort()).to.deep.equal(
      documentedAnswers.filter((answer) => !NOT_PROVOKED.includes(answer)).sort(),
    );
  });

  it('lists the codes of rejected requests, and has the version of the package', () => {
    const body = (code: string): object => ({
      error: {
        errorSummary: '…',
        errorCauses: [
          {
            errorSummary: '…',
            reason: code,
            locationType: 'request',
            location: '',
            domain: 'okta-telephony-hook',
          },
        ],
      },
    });
    const fits = schemaAt('components', 'schemas', 'Rejection');
    // The answer to an unverified caller has no code.
    expect(REQUEST_ERROR_CODES.filter((code) => !fits(body(code)))).to.deep.equal(['CALLER_NOT_PROVEN']);
    expect(fits(body('OTHER'))).to.equal(false);
    expect(document.info.version).to.equal(manifest.version);
  });
});
