// An egress proxy with undici 7 or 8. The test compiles this against the packed declarations and never runs it.
import { oktaClient, oktaTelephonyHook, type OktaTelephonyHookOptions } from 'okta-telephony-hook';
import * as undici7 from 'undici';
import * as undici8 from 'undici8';

declare const options: OktaTelephonyHookOptions;
const credential = { orgUrl: 'https://acme.okta.com', apiToken: 'token' };
for (const { Agent, ProxyAgent } of [undici7, undici8]) {
  oktaTelephonyHook({ ...options, dispatcher: new ProxyAgent('http://proxy.acme.example:3128') });
  oktaClient({ credential, dispatcher: new Agent() });
}
// @ts-expect-error -- it needs a `dispatch` method.
oktaTelephonyHook({ ...options, dispatcher: { request: undici7.request } });
