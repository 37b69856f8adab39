import type { OktaEmulator } from '../../lib/testing/index.js';
import { startTestServer } from '../testing/local.js';
import { eventHook } from '../testing/okta/client.js';
import type { CallEmulator } from './emulator-answers.js';
import { callUsers, idOf } from './okta-user-calls.js';
import { CODE } from './subjects.js';

/** The calls of Okta's API that the emulator answers, each with success and errors. */
export async function callOkta(okta: OktaEmulator, call: CallEmulator): Promise<void> {
  const headers = { authorization: `SSWS ${okta.apiToken}` };
  const get = (does: string, path: string, status = 200): Promise<unknown> =>
    call(does, { method: 'GET', path, status, headers });
  const send = (does: string, method: string, path: string, json?: object, status = 200): Promise<unknown> =>
    call(does, { method, path, status, headers, json });

  await callUsers(okta, call);
  await callSchema(get, send);
  okta.setTelephonyProviders([
    { providerName: 'TWILIO' },
    { providerName: 'TELESIGN', isPrimaryProvider: false },
  ]);
  await get("the org's own telephony providers", '/api/v1/telephony-providers');
  const hook = await startHook();
  try {
    await callInlineHooks(hook.url, get, send);
    await callEventHooks(hook.url, get, send);
  } finally {
    hook.close();
  }
}

type Get = (does: string, path: string, status?: number) => Promise<unknown>;
type Send = (does: string, method: string, path: string, json?: object, status?: number) => Promise<unknown>;

async function callSchema(get: Get, send: Send): Promise<void> {
  const schema = '/api/v1/meta/schemas/user/default';
  const attribute = { title: 'WhatsApp', type: 'boolean', scope: 'NONE', permissions: [SELF] };
  const withAttributes = (properties: object): object => ({
    definitions: { custom: { id: '#custom', type: 'object', properties } },
  });
  await get('the user types', '/api/v1/meta/types/user');
  await get('the schema', schema);
  await send('an attribute', 'POST', schema, withAttributes({ contractOptIn: attribute }));
  await get('the schema, with the attribute', schema);
  await send(
    'an attribute without a title',
    'POST',
    schema,
    withAttributes({ nameless: { type: 'boolean' } }),
    400,
  );
  await send('an attribute less', 'POST', schema, withAttributes({ contractOptIn: null }));
  await get('no schema', '/api/v1/meta/schemas/user/nobodys', 404);
  await send(
    'no schema, with an attribute',
    'POST',
    '/api/v1/meta/schemas/user/nobodys',
    withAttributes({}),
    404,
  );
}

const SELF = { principal: 'SELF', action: 'READ_WRITE' };

async function callInlineHooks(uri: string, get: Get, send: Send): Promise<void> {
  const keys = '/api/v1/hook-keys';
  await send('a key', 'POST', keys, { name: 'contract' });
  await send('a key whose name is taken', 'POST', keys, { name: 'contract' }, 400);
  await get('the keys', keys);

  const hooks = '/api/v1/inlineHooks';
  const config = { uri, method: 'POST', headers: [{ key: 'X-Contract', value: 'run' }] };
  const authScheme = { type: 'HEADER', key: 'Authorization', value: 'contract' };
  const channel = { type: 'HTTP', version: '1.0.0', config: { ...config, authScheme } };
  const hook = { name: 'Contract', type: 'com.okta.telephony.provider', version: '1.0.0', channel };
  const id = idOf(await send('an inline hook', 'POST', hooks, hook));
  await send('a second telephony hook', 'POST', hooks, hook, 400);
  await get('the inline hooks', hooks);
  await get('the telephony hooks', `${hooks}?type=com.okta.telephony.provider`);
  await get('an inline hook', `${hooks}/${id}`);
  await get('no inline hook', `${hooks}/cal0`, 404);
  // The type of an attribute cannot change.
  const { type, ...changed } = hook;
  await send('an inline hook in the place of one', 'PUT', `${hooks}/${id}`, changed);
  await send('an inline hook, updated', 'POST', `${hooks}/${id}`, changed);
  await send('no inline hook in the place of none', 'PUT', `${hooks}/cal0`, changed, 404);
  await send('no inline hook, updated', 'POST', `${hooks}/cal0`, changed, 404);
  const payload = { eventType: type, data: { messageProfile: { otpCode: CODE } } };
  await send('a call of the inline hook', 'POST', `${hooks}/${id}/execute`, payload);
  await send('a call of another kind', 'POST', `${hooks}/${id}/execute`, { eventType: 'other' }, 400);
  await send('a call of no inline hook', 'POST', `${hooks}/cal0/execute`, payload, 404);
  await send('an active inline hook less', 'DELETE', `${hooks}/${id}`, undefined, 403);
  await send('an inline hook off', 'POST', `${hooks}/${id}/lifecycle/deactivate`);
  await send('an inline hook on', 'POST', `${hooks}/${id}/lifecycle/activate`);
  await send('no inline hook off', 'POST', `${hooks}/cal0/lifecycle/deactivate`, undefined, 404);
  await send('no inline hook on', 'POST', `${hooks}/cal0/lifecycle/activate`, undefined, 404);
  await send('an inline hook off again', 'POST', `${hooks}/${id}/lifecycle/deactivate`);
  await send('an inline hook less', 'DELETE', `${hooks}/${id}`, undefined, 204);
}

async function callEventHooks(uri: string, get: Get, send: Send): Promise<void> {
  const hooks = '/api/v1/eventHooks';
  const hook = eventHook(uri, 'contract', ['user.authentication.auth_via_mfa']);
  const id = idOf(await send('an event hook', 'POST', hooks, hook));
  const wrong = eventHook(uri, 'contract', ['inline_hook.response.processed']);
  await send('an event hook of an event that has none', 'POST', hooks, wrong, 400);
  await get('the event hooks', hooks);
  await get('an event hook', `${hooks}/${id}`);
  await get('no event hook', `${hooks}/who0`, 404);
  await send('an event hook in the place of one', 'PUT', `${hooks}/${id}`, {
    ...hook,
    description: 'Contract',
  });
  await send('no event hook in the place of none', 'PUT', `${hooks}/who0`, hook, 404);
  await send('an event hook, verified', 'POST', `${hooks}/${id}/lifecycle/verify`);
  await send('no event hook, verified', 'POST', `${hooks}/who0/lifecycle/verify`, undefined, 404);
  await send('an active event hook less', 'DELETE', `${hooks}/${id}`, undefined, 403);
}

/** A hook that accepts each call, and answers challenges. */
function startHook(): ReturnType<typeof startTestServer> {
  const value = [{ status: 'SUCCESSFUL', provider: 'CONTRACT', transactionId: 'contract' }];
  const taken = { commands: [{ type: 'com.okta.telephony.action', value }] };
  return startTestServer((response, { headers }) => {
    const challenge = headers['x-okta-verification-challenge'];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(challenge === undefined ? taken : { verification: challenge }));
  });
}
