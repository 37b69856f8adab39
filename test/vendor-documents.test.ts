import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { commandOf, errorOf, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';

/** An example from the vendors' documents, in test/fixtures. */
function documented(name: string): Record<string, unknown> {
  const text = readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as Record<string, unknown>;
}

/** Names and types without the values; of a list, the shape of its first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, entry]) => [name, shapeOf(entry)]),
  );
}

describe("the hook with the examples of the vendors' documents", () => {
  let open: Scene | undefined;
  const start = async (options?: SceneOptions): Promise<Scene> => (open = await startScene(options));
  afterEach(async () => {
    await open?.close();
    open = undefined;
  });

  it("serves Okta's example of a request, even with its numbers without quotes", async () => {
    const request = documented('okta-telephony-request');
    const now = Date.parse(String(request['eventTime'])) + 1000;
    mustNotShow('test.user@okta.com', '9876543210');
    const scene = await start({ hook: { clock: () => now, defaultCountry: 'IN' } });
    const { twilio, events } = scene;
    const made = await scene.call({ change: () => request });
    expect(made.okta.action).to.equal('sent');
    expect(twilio.messages[0]).to.include({ to: '+919876543210', body: '(HOOK)Your code is 11111' });
    expect(events.find(({ type }) => type === 'request.received')).to.include({
      isPreview: true,
      requestType: undefined,
    });
  });

  it("answers a success in the shape of Okta's example", async () => {
    const scene = await start();
    const made = await scene.call();
    expect(shapeOf(made.body)).to.deep.equal(shapeOf(documented('okta-telephony-success')));
    expect(commandOf(made)?.['transactionMetadata']).to.match(/(^|;)Duration=\d+ms(;|$)/);
  });

  it("answers PENDING in the shape of Okta's example of a success", async () => {
    const scene = await start();
    const { twilio } = scene;
    twilio.fault({ kind: 'reset' });
    const made = await scene.call();
    expect(made.okta.action).to.equal('pending');
    expect(shapeOf(made.body)).to.deep.equal(shapeOf(documented('okta-telephony-success')));
  });

  it("answers a failure in the shape of Okta's error object", async () => {
    const scene = await start();
    const { twilio } = scene;
    twilio.refuseWith({ code: 21211 });
    const made = await scene.call();
    expect(made.okta.action).to.equal('error');
    expect(shapeOf(made.body)).to.deep.equal(shapeOf(documented('okta-hook-error')));
  });

  it("answers an invalid hook request in the shape of Okta's error object", async () => {
    const scene = await start();
    const made = await scene.call({ change: () => ({ data: {} }) });
    expect(made.httpStatus).to.equal(400);
    expect(shapeOf(made.body)).to.deep.equal(shapeOf(documented('okta-hook-error')));
  });

  for (const [name, message] of Object.entries(documented('twilio-messages'))) {
    it(`treats Twilio's example of a message as accepted: ${name}`, async () => {
      const scene = await start();
      const { twilio } = scene;
      twilio.fault({ kind: 'status', status: 201, body: message });
      const made = await scene.call();
      expect(made.okta.action).to.equal('sent');
      const { sid } = message as { sid: string };
      expect(commandOf(made)).to.include({ provider: 'TWILIO', transactionId: sid });
      expect(twilio.requests).to.have.length(1);
    });
  }

  it("treats Twilio's example of a call as accepted", async () => {
    const scene = await start();
    const { twilio } = scene;
    const document = documented('twilio-call');
    twilio.fault({ kind: 'status', status: 201, body: document });
    const made = await scene.call({ deliveryChannel: 'voice call' });
    expect(made.okta.action).to.equal('sent');
    expect(commandOf(made)).to.include({ provider: 'TWILIO', transactionId: document['sid'] });
  });

  it("treats Twilio's example of an error as refused, and answers without Twilio's message", async () => {
    const scene = await start();
    const { twilio } = scene;
    const document = documented('twilio-error');
    twilio.fault({ kind: 'status', status: 400, body: document });
    const made = await scene.call();
    expect(errorOf(made)?.errorCauses?.[0]?.['reason']).to.match(/^21211: /);
    expect(JSON.stringify(made.body)).to.not.include(document['message']);
  });

  it("gets answers in the shape of Twilio's examples from the emulator", async () => {
    const { twilio } = await start();
    const create = async (
      resource: string,
      form: Record<string, string>,
    ): Promise<Record<string, unknown>> => {
      const credentials = Buffer.from(`${twilio.apiKeySid}:${twilio.apiKeySecret}`).toString('base64');
      const answer = await fetch(
        `${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/${resource}.json`,
        {
          method: 'POST',
          headers: { Authorization: `Basic ${credentials}` },
          body: new URLSearchParams({ To: '+12025550143', ...form }),
        },
      );
      const body = (await answer.json()) as Record<string, unknown>;
      witness(body);
      return body;
    };
    const message = await create('Messages', { From: twilio.smsNumber, Body: 'Hello' });
    const { createWoService } = documented('twilio-messages');
    expect(message).to.have.all.keys(Object.keys(createWoService as object));
    const call = await create('Calls', {
      From: twilio.voiceNumber,
      Twiml: '<Response><Say>Hi</Say></Response>',
    });
    expect(call).to.have.all.keys(Object.keys(documented('twilio-call')));
    const error = await create('Messages', { From: twilio.smsNumber });
    expect(shapeOf(error)).to.deep.equal(shapeOf(documented('twilio-error')));
  });
});
