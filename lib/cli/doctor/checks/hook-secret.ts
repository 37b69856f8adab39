import type { HttpDispatcher } from '../../../core/http.js';
import type { HookOAuth } from '../../admin/hook-resource.js';
import type { HookVariables } from '../variables.js';
import { isShortSecret, MIN_SECRET_LENGTH, type MarkedCall } from '../../../okta/probe-mark.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import { probeGateway, fetchHookToken, type ProbeResult } from '../../gateway-probe.js';

/** Reads the name of the header with which Okta calls one of its hooks; `undefined` if that cannot be read. */
export type ReadHeaderName = (hook: 'inline' | 'event') => Promise<string | undefined>;

export const NOT_OURS =
  "Check that PUBLIC_URL is the hook's whole URL, with the path under which the gateway mounts it (/okta/telephony by default), and that a proxy in between passes it on.";

const SAME_CLIENT =
  'Compare HOOK_OAUTH_CLIENT_ID, HOOK_OAUTH_CLIENT_SECRET and HOOK_OAUTH_SCOPE with the client at that server.';
const SAME_SERVER =
  "Compare the gateway's credentials.hook (issuer, audience, clientId, scope) with the tokens of that server. The gateway's log says why it refused this one.";

interface SecretParts {
  readonly dispatcher: HttpDispatcher;
  readonly readHeaderName: ReadHeaderName;
  /** The headers of `markProbe` for a POST. */
  readonly mark: (route: MarkedCall['route']) => Readonly<Record<string, string>>;
}

/** Checks that the gateway accepts the secret or the token with which Okta calls the telephony hook. */
export async function secretFinding(hook: HookVariables, parts: SecretParts): Promise<Finding> {
  const { url, proof } = hook;
  if (proof?.kind === 'oauth') return tokenFinding(url, proof, parts);
  const found = await headerFinding(hook, parts, {
    hook: 'inline',
    secret: proof?.secret,
    fine: (name) =>
      `The gateway accepts HOOK_SECRET in the header ${name}. Okta shows its own secret to no one; preview shows whether it fits.`,
    remedy:
      "Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.hook.secrets. If the gateway sends codes, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup hook --rotate.",
  });
  if (found.status !== 'ok' || proof === undefined || !isShortSecret(proof.secret)) return found;
  return warn(
    `The gateway accepts HOOK_SECRET, whose secret or password has less than ${MIN_SECRET_LENGTH} characters and can be guessed.`,
    'Make another: openssl rand -hex 32. Give it to the gateway first, beside the previous one, then to Okta: okta-telephony-hook setup hook --rotate.',
  );
}

export function eventSecretFinding(hook: HookVariables, parts: SecretParts): Promise<Finding> {
  return headerFinding(hook, parts, {
    hook: 'event',
    secret: hook.secret,
    fine: () => 'The gateway accepts HOOK_SECRET from the event hook.',
    remedy:
      "Compare HOOK_SECRET here with the gateway's HOOK_SECRET or credentials.eventHook (default: as credentials.hook). If the gateway's log has code.used, it agrees with Okta, and only the one here is wrong. If not, give both the same one, first the gateway, then Okta: okta-telephony-hook setup event-hook --rotate.",
  });
}

/** Calls one of the hooks with the secret in the header that Okta's hook has; else in that of `--header`; else in a guess. */
async function headerFinding(
  { url, headerName }: HookVariables,
  { dispatcher, readHeaderName, mark }: SecretParts,
  check: {
    readonly hook: 'inline' | 'event';
    readonly secret: string | undefined;
    readonly fine: (headerName: string) => string;
    readonly remedy: string;
  },
): Promise<Finding> {
  const { hook, secret, fine, remedy } = check;
  if (secret === undefined) {
    return warn(
      'Skipped: HOOK_SECRET is not set.',
      `Set it to the whole header value that Okta's ${hook} hook sends.`,
    );
  }
  const known = (await readHeaderName(hook)) ?? headerName;
  const header = { name: known ?? 'Authorization', secret };
  const answer =
    hook === 'inline'
      ? await probeGateway(dispatcher, url, header, mark('hook'))
      : await probeGateway(dispatcher, `${url}/events`, header, mark('events'));
  const isGuess = known === undefined;
  if (answer.kind !== 'refused') return findingOfProbe(answer, fine(header.name));
  const path = hook === 'inline' ? '' : ' at PUBLIC_URL + /events';
  const refused = `${answer.by} does not accept HOOK_SECRET in the header ${header.name}${path}.`;
  if (!isGuess) return fail(refused, remedy);
  // The secret may be right, and the gateway may expect it in another header.
  return warn(
    `${refused} Doctor could not read whether Okta's hook uses another header.`,
    `Name the header with --header, or run this with a credential that may read hooks. If it is Authorization: ${remedy}`,
  );
}

/** Requests a token as Okta does, and calls the gateway with it: an issued token does not prove that the gateway accepts it. */
async function tokenFinding(
  url: string,
  proof: HookOAuth,
  { dispatcher, mark }: SecretParts,
): Promise<Finding> {
  const { by } = proof;
  if (!('clientSecret' in by)) {
    return warn(
      'Okta signs with a hook key, and only Okta has its private key: doctor could not test whether the gateway accepts the tokens.',
      'Test it with Okta itself: okta-telephony-hook preview --user <your login>. It sends a real message.',
    );
  }
  const given = await fetchHookToken(dispatcher, proof, by.clientSecret);
  if (given.kind === 'refused') return fail(`${given.by} does not accept the client.`, SAME_CLIENT);
  if (given.kind === 'unclear') {
    return fail(`${given.why}.`, 'Check that HOOK_OAUTH_TOKEN_URL is its token endpoint, and that it runs.');
  }
  const header = { name: 'Authorization', secret: `Bearer ${given.token}` };
  const answer = await probeGateway(dispatcher, url, header, mark('hook'));
  const server = new URL(proof.tokenUrl).host;
  if (answer.kind === 'refused') {
    return fail(`${answer.by} does not accept the token that ${server} issues for it.`, SAME_SERVER);
  }
  return findingOfProbe(answer, `The gateway accepts the token that ${server} issues for it.`);
}

function findingOfProbe(answer: Exclude<ProbeResult, { kind: 'refused' }>, fine: string): Finding {
  return answer.kind === 'accepted' ? ok(fine) : fail(`${answer.why}.`, NOT_OURS);
}
