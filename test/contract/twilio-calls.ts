import type { TwilioEmulator } from '../../lib/testing/index.js';
import { basicOf, type CallEmulator } from './emulator-answers.js';
import { isSchema } from './own-checks.js';
import { BRITON, CODE, sid } from './subjects.js';

const TEXT = 'A text of the contract run';
const TWIML = '<Response><Say>A call of the contract run</Say></Response>';

/** The calls of Twilio's API that the emulator answers, each with success and errors. */
export async function callTwilio(twilio: TwilioEmulator, call: CallEmulator): Promise<void> {
  const account = `/2010-04-01/Accounts/${twilio.accountSid}`;
  const headers = { authorization: basicOf(twilio.apiKeySid, twilio.apiKeySecret) };
  const owner = { authorization: basicOf(twilio.accountSid, twilio.authToken) };
  const wrongKey = { authorization: basicOf(twilio.apiKeySid, 'wrong') };
  const get = (does: string, path: string, status = 200, who = headers): Promise<unknown> =>
    call(does, { method: 'GET', path, status, headers: who });
  const post = (does: string, path: string, form: Record<string, string>, status = 201): Promise<unknown> =>
    call(does, { method: 'POST', path, status, headers, form });

  await get('the account', `${account}.json`, 200, owner);
  await get('the account, by an API key', `${account}.json`, 401);
  await get('the account, by a wrong key', `${account}.json`, 401, wrongKey);

  const messages = `${account}/Messages.json`;
  const sms = { To: BRITON, From: twilio.smsNumber, Body: TEXT };
  const toWhatsApp = { To: `whatsapp:${BRITON}`, From: `whatsapp:${twilio.sandboxNumber}` };
  const contentSid = sid('HX');
  twilio.joinSandbox(BRITON);
  const sent = sidOf(await post('an SMS', messages, { ...sms, ProvideFeedback: 'true' }));
  await post('an SMS by a Messaging Service', messages, {
    To: BRITON,
    MessagingServiceSid: twilio.messagingServiceSid,
    Body: TEXT,
  });
  const byRcs = { To: BRITON, MessagingServiceSid: twilio.messagingServiceSid, Body: TEXT };
  const kept = { ContentRetention: 'discard', AddressRetention: 'obfuscate', SmartEncoded: 'true' };
  await post('an SMS with a fallback', messages, { ...byRcs, ...kept, FallbackFrom: twilio.smsNumber });
  await post('an SMS with a wrong fallback', messages, { ...byRcs, FallbackFrom: '+12025550199' }, 400);
  await post('WhatsApp, as text', messages, { ...toWhatsApp, Body: TEXT });
  await post('WhatsApp, by a template', messages, {
    ...toWhatsApp,
    ContentSid: contentSid,
    ContentVariables: '{"1":"planted"}',
  });
  await post('an SMS to no number', messages, { ...sms, To: '+1' }, 400);
  await post('an SMS without words', messages, { To: BRITON, From: twilio.smsNumber }, 400);
  await post('an SMS from an unknown number', messages, { ...sms, From: '+12025550199' }, 400);
  twilio.refuseWith({ code: 20429, times: 1 });
  await post('too many messages', messages, sms, 429);
  await call('a message by a wrong key', {
    method: 'POST',
    path: messages,
    status: 401,
    headers: wrongKey,
    form: sms,
  });

  const message = (name: string): string => `${account}/Messages/${name}.json`;
  await wait(() => twilio.messages.some((one) => one.sid === sent && one.status === 'delivered'));
  await get('a message that was delivered', message(sent));
  await post('what became of it', message(`${sent}/Feedback`), { Outcome: 'confirmed' }, 200);
  twilio.failLater({ code: 30007, times: 1 });
  const lost = sidOf(await post('an SMS that fails later', messages, sms));
  await wait(() => twilio.messages.some((one) => one.sid === lost && one.errorCode !== undefined));
  await get('a message that was not delivered', message(lost));
  await get('no message', message(sid('SM')), 404);

  await get('the messages', messages);
  await get('the numbers', `${account}/IncomingPhoneNumbers.json`);

  const calls = `${account}/Calls.json`;
  const voice = { To: BRITON, From: twilio.voiceNumber, Twiml: TWIML };
  const called = sidOf(await post('a call', calls, voice));
  await post('a call to no number', calls, { ...voice, To: '+1' }, 400);
  await post('a call without words', calls, { To: BRITON, From: twilio.voiceNumber }, 400);
  await wait(() => twilio.calls.some((one) => one.sid === called && one.status === 'completed'));
  await get('a call that is over', `${account}/Calls/${called}.json`);
  await get('no call', `${account}/Calls/${sid('CA')}.json`, 404);
  await get('the calls', calls);
  await callProducts(twilio, get, post);
}

type Get = (does: string, path: string, status?: number) => Promise<unknown>;
type Post = (does: string, path: string, form: Record<string, string>, status?: number) => Promise<unknown>;

/** The products with their own API. */
async function callProducts(twilio: TwilioEmulator, get: Get, post: Post): Promise<void> {
  const template = twilio.addTemplate({});
  await get('the templates', '/v1/Content');
  await get('a template', `/v1/Content/${template.sid}`);
  await get('no template', `/v1/Content/${sid('HX')}`, 404);
  await get('the approval of a template', `/v1/Content/${template.sid}/ApprovalRequests`);
  await get('the approval of no template', `/v1/Content/${sid('HX')}/ApprovalRequests`, 404);

  await get('a Messaging Service', `/v1/Services/${twilio.messagingServiceSid}`);
  await get('no Messaging Service', `/v1/Services/${sid('MG')}`, 404);
  await get('the numbers of a Messaging Service', `/v1/Services/${twilio.messagingServiceSid}/PhoneNumbers`);
  await get('the numbers of no Messaging Service', `/v1/Services/${sid('MG')}/PhoneNumbers`, 404);

  const service = `/v2/Services/${twilio.verifyServiceSid}`;
  await get('a Verify service', service);
  await get('no Verify service', `/v2/Services/${sid('VA')}`, 404);
  const verifications = `${service}/Verifications`;
  for (const Channel of ['sms', 'call', 'whatsapp']) {
    await post(`a verification by ${Channel}`, verifications, { To: BRITON, Channel, CustomCode: CODE });
  }
  await post('a verification by nothing', verifications, { To: BRITON, Channel: 'telegram' }, 400);
  const verification = twilio.verifications[0]?.sid ?? '';
  await get('a verification', `${verifications}/${verification}`);
  await get('no verification', `${verifications}/${sid('VE')}`, 404);
  await post('a verification, approved', `${verifications}/${verification}`, { Status: 'approved' }, 200);
  await post('no verification, approved', `${verifications}/${sid('VE')}`, { Status: 'approved' }, 404);
}

function sidOf(resource: unknown): string {
  const found = isSchema(resource) ? resource['sid'] : undefined;
  return typeof found === 'string' ? found : '';
}

/** Waits for a result of status callbacks. It takes milliseconds; the run must end if it never comes. */
async function wait(isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > endsAt)
      throw new Error('The Twilio emulator does not go on with a message or a call');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
