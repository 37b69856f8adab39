import type { HttpDispatcher } from '../../http/call.js';
import type { Time } from '../../okta/admin/administration.js';
import { describeHook, isSameUrl, type HookResource } from '../../okta/admin/hook-resource.js';
import { listTelephonyHooks } from '../../okta/admin/telephony-hook-setup.js';
import { CommandError, type CommandCall } from '../command.js';
import { fetchHookToken } from '../doctor/gateway-probe.js';
import { readHookProof } from '../doctor/hook-proof.js';
import type { CallSecrets } from './masked-call.js';
import type { Org } from '../org.js';
import type { Payload } from './payload.js';
import { sendByOkta, sendToGateway, type Sent } from './send.js';

/** What a service app needs to have Okta call a hook. */
export const RUN_HOOKS = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];

/** The ways to the hook. */
export type Way =
  | { readonly via: 'okta'; readonly org: Org; readonly hook: HookResource }
  | {
      readonly via: 'gateway';
      readonly dispatcher: HttpDispatcher;
      readonly url: string;
      readonly header: { readonly name: string; readonly secret: string };
      readonly isOAuth: boolean;
    };

/** A hook at Okta, which Okta is to call: the one that is named, or the active one. */
export async function findOktasWay(
  org: Org,
  parts: {
    readonly hookId: string | undefined;
    /** Where ours is, as far as that is known. */
    readonly publicUrl: string | undefined;
    readonly note: (text: string) => void;
  },
): Promise<Way> {
  const hook = await findHook(org, parts.hookId);
  if (parts.publicUrl !== undefined && !isSameUrl(hook.url, parts.publicUrl)) {
    parts.note(`Another hook than that of PUBLIC_URL is called: ${describeHook(hook)}.`);
  }
  return { via: 'okta', org, hook };
}

/**
 * The gateway itself, by the variables: what is opened proves this machine as Okta.
 * @throws CommandError where the authorization server gives no token.
 */
export async function readGatewayWay(
  call: CommandCall,
): Promise<(dispatcher: HttpDispatcher) => Promise<Way>> {
  const { variables, terminal } = call;
  const url = variables.required('PUBLIC_URL', "the hook's own public URL").replace(/\/+$/, '');
  const proof = await readHookProof(call);
  if (proof.kind === 'header') {
    const header = { name: proof.headerName ?? 'Authorization', secret: proof.secret };
    return (dispatcher) => Promise.resolve({ via: 'gateway', dispatcher, url, header, isOAuth: false });
  }
  const { by } = proof;
  if (!('clientSecret' in by)) {
    throw new CommandError(
      2,
      'BAD_ENVIRONMENT',
      'Only Okta has the private key of the hook key that HOOK_OAUTH_KEY_ID names.',
      'Leave --via gateway out: Okta then proves itself.',
    );
  }
  return async (dispatcher) => {
    const answer = await fetchHookToken(dispatcher, proof, by.clientSecret);
    if (answer.kind !== 'token') {
      throw new CommandError(
        1,
        'NO_HOOK_TOKEN',
        answer.kind === 'refused' ? `${answer.by} does not take this client.` : `${answer.why}.`,
        'Compare the variables HOOK_OAUTH_… with the client at the authorization server.',
      );
    }
    terminal.hide(answer.token);
    const header = { name: 'Authorization', secret: `Bearer ${answer.token}` };
    return { via: 'gateway', dispatcher, url, header, isOAuth: true };
  };
}

async function findHook(org: Org, hookId: string | undefined): Promise<HookResource> {
  const hooks = await listTelephonyHooks(org.as(RUN_HOOKS));
  const active = hooks.filter(({ isActive }) => isActive);
  const hook = hookId === undefined ? active[0] : hooks.find(({ id }) => id === hookId);
  const known = hooks.length === 0 ? 'It has none.' : `It has ${hooks.map(describeHook).join(', ')}.`;
  if (hook === undefined) {
    const what = hookId === undefined ? 'active telephony inline hook' : 'telephony inline hook of this id';
    const remedy =
      hookId === undefined
        ? 'okta-telephony-hook setup hook creates it, or activates ours. Until then try the gateway alone: --via gateway.'
        : 'Leave --hook out for the active one, or give the id of one that there is.';
    throw new CommandError(1, 'NO_HOOK', `The org has no ${what}. ${known}`, remedy);
  }
  if (hookId === undefined && active.length > 1) {
    throw new CommandError(
      1,
      'MANY_HOOKS',
      `More hooks than one are active. ${known}`,
      'Name one with --hook <id>.',
    );
  }
  if (hook.isActive) return hook;
  throw new CommandError(
    1,
    'HOOK_INACTIVE',
    `The hook is not active, so Okta does not call it: ${describeHook(hook)}.`,
    'okta-telephony-hook setup hook activates ours.',
  );
}

/** In words. */
export function describeWay(way: Way): string {
  if (way.via === 'okta') return `Okta calls its hook ${describeHook(way.hook)}`;
  return `this machine calls ${new URL(way.url).host}, as Okta would`;
}

/** Sends a payload on its way. */
export function sendBy(
  way: Way,
  payload: Payload,
  { time, secrets }: { readonly time: Time; readonly secrets: CallSecrets },
): Promise<Sent> {
  if (way.via === 'gateway') return sendToGateway(payload, { ...way, time });
  return sendByOkta(payload, { okta: way.org.as(RUN_HOOKS), hookId: way.hook.id, time, secrets });
}
