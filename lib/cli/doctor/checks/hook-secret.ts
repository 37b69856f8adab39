import type { HttpDispatcher } from '../../../http/call.js';
import type { HookVariables } from '../variables.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import { askGateway, fetchHookToken, type SecretAnswer } from '../gateway-probe.js';

/** Whether the gateway takes what Okta proves itself by. */

/** The header by which Okta calls one of its hooks; `undefined` where that cannot be seen. */
export type SeeHeader = (hook: 'inline' | 'event') => Promise<string | undefined>;

type OAuthProof = Extract<HookVariables['proof'], { kind: 'oauth' }>;

const SHORTEST_SECRET = 16;

export const NOT_OURS =
  "See that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.";

const SAME_SECRET =
  'Give the gateway the same HOOK_SECRET (credentials.hook.secrets takes the new one and the one before), and Okta, too: okta-telephony-hook setup hook --rotate.';
const SAME_EVENT_SECRET =
  'Give the gateway the same HOOK_SECRET, or one of its own for it by credentials.eventHook.';
const SAME_CLIENT =
  'Compare HOOK_OAUTH_CLIENT_ID, HOOK_OAUTH_CLIENT_SECRET and HOOK_OAUTH_SCOPE with the client there.';
const SAME_SERVER =
  "Compare the gateway's credentials.hook (issuer, audience, clientId, scope) with what that server writes into its tokens, and see in the gateway's log why it refused this one.";

export async function secretFinding(
  hook: HookVariables,
  dispatcher: HttpDispatcher,
  seeHeader: SeeHeader,
): Promise<Finding> {
  const { url, proof } = hook;
  if (proof === undefined) {
    return warn(
      'Skipped: HOOK_SECRET is not set.',
      "Set it to the whole header value that Okta's inline hook sends.",
    );
  }
  if (proof.kind === 'oauth') return tokenFinding(url, proof, dispatcher);
  const { name, isKnown } = await headerOf(hook, 'inline', seeHeader);
  const answer = await askGateway(dispatcher, url, { name, secret: proof.secret });
  if (answer.kind === 'refused' && !isKnown) return refusedUnseen(answer.by, SAME_SECRET);
  const found = ofAnswer(
    answer,
    `The gateway takes HOOK_SECRET in the header ${name}; which secret Okta has, Okta tells nobody, and preview shows.`,
    SAME_SECRET,
  );
  if (found.status !== 'ok' || proof.secret.length >= SHORTEST_SECRET) return found;
  return warn(
    `The gateway takes HOOK_SECRET, which has less than ${SHORTEST_SECRET} characters and can be guessed.`,
    'Make another: openssl rand -hex 32. The gateway gets it first, beside the one before, then Okta: okta-telephony-hook setup hook --rotate.',
  );
}

export async function eventSecretFinding(
  hook: HookVariables,
  dispatcher: HttpDispatcher,
  seeHeader: SeeHeader,
): Promise<Finding> {
  const { url, secret } = hook;
  if (secret === undefined) {
    return warn(
      'Skipped: HOOK_SECRET is not set.',
      "Set it to the whole header value that Okta's event hook sends.",
    );
  }
  const { name, isKnown } = await headerOf(hook, 'event', seeHeader);
  const answer = await askGateway(dispatcher, `${url}/events`, { name, secret });
  if (answer.kind === 'refused' && !isKnown) return refusedUnseen(answer.by, SAME_EVENT_SECRET);
  return ofAnswer(answer, 'The gateway takes HOOK_SECRET from the event hook.', SAME_EVENT_SECRET);
}

/** That a server issues a token says nothing yet of whether the gateway takes it: it is shown to it, as Okta would. */
async function tokenFinding(url: string, proof: OAuthProof, dispatcher: HttpDispatcher): Promise<Finding> {
  const { by } = proof;
  if (!('clientSecret' in by)) {
    return warn(
      'Okta signs by a hook key, which only Okta can: whether the gateway takes its tokens was not tried.',
      'Try it by Okta itself: okta-telephony-hook preview --user <your login>. It sends a real message.',
    );
  }
  const given = await fetchHookToken(dispatcher, proof, by.clientSecret);
  if (given.kind === 'refused') return fail(`${given.by} does not take the client.`, SAME_CLIENT);
  if (given.kind === 'unclear') {
    return fail(`${given.why}.`, 'See that HOOK_OAUTH_TOKEN_URL is its token endpoint, and that it runs.');
  }
  const header = { name: 'Authorization', secret: `Bearer ${given.token}` };
  const answer = await askGateway(dispatcher, url, header);
  const server = new URL(proof.tokenUrl).host;
  if (answer.kind === 'refused') {
    return fail(`${answer.by} does not take the token that ${server} issues for it.`, SAME_SERVER);
  }
  return ofAnswer(answer, `The gateway takes the token that ${server} issues for it.`, SAME_SERVER);
}

/** How Okta has it goes before what is said here. */
async function headerOf(
  { headerName }: HookVariables,
  hook: 'inline' | 'event',
  seeHeader: SeeHeader,
): Promise<{ readonly name: string; readonly isKnown: boolean }> {
  const known = (await seeHeader(hook)) ?? headerName;
  return { name: known ?? 'Authorization', isKnown: known !== undefined };
}

/** It may be right in another header, as a gateway may have it. */
function refusedUnseen(by: string, remedy: string): Finding {
  return warn(
    `${by} does not take the secret in the header Authorization; whether Okta's hook has it in another could not be seen.`,
    `Name the header by --header, or run this with a credential that may see hooks. If it is Authorization: ${remedy}`,
  );
}

function ofAnswer(answer: SecretAnswer, fine: string, remedy: string): Finding {
  if (answer.kind === 'accepted') return ok(fine);
  if (answer.kind === 'refused') return fail(`${answer.by} does not take the secret.`, remedy);
  return fail(`${answer.why}.`, NOT_OURS);
}
