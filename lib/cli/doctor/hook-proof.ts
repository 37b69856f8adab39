import type { HookProof } from '../../okta/admin/hook-resource.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import type { Variables } from '../environment.js';
import { headerOption } from '../setup/setup.js';

type OAuthProof = Extract<HookProof, { kind: 'oauth' }>;

const OAUTH = [
  'HOOK_OAUTH_CLIENT_ID',
  'HOOK_OAUTH_TOKEN_URL',
  'HOOK_OAUTH_SCOPE',
  'HOOK_OAUTH_CLIENT_SECRET',
  'HOOK_OAUTH_KEY_ID',
] as const;

/** How Okta proves itself to the telephony hook, by the variables; nobody goes without. */
export async function readHookProof(call: CommandCall): Promise<HookProof> {
  const { options, variables } = call;
  const proof = await readGivenProof(call);
  if (proof === undefined) {
    const what = "the whole header value that Okta's inline hook sends";
    const secret = await variables.secret('HOOK_SECRET', what);
    return { kind: 'header', headerName: headerOption(options), secret };
  }
  if (options['rotate'] === true && proof.kind === 'oauth' && 'hookKeyId' in proof.by) {
    throw new CommandError(
      2,
      'BAD_USE',
      '--rotate is for secrets, and with a hook key there is none.',
      'Register the public half of another hook key with the client, and set HOOK_OAUTH_KEY_ID to it: no option is needed.',
    );
  }
  return proof;
}

/**
 * The same where it may be missing: `undefined` then. One variable of OAuth is enough to mean it: HOOK_SECRET may be
 * there for the event hook.
 */
export async function readGivenProof({ options, variables }: CommandCall): Promise<HookProof | undefined> {
  if (OAUTH.some((name) => variables.read(name) !== undefined)) return readOAuthProof(variables);
  const secret = variables.read('HOOK_SECRET');
  return secret === undefined ? undefined : { kind: 'header', headerName: headerOption(options), secret };
}

async function readOAuthProof(variables: Variables): Promise<OAuthProof> {
  const what = 'it goes with the other variables HOOK_OAUTH_…';
  return {
    kind: 'oauth',
    clientId: variables.required('HOOK_OAUTH_CLIENT_ID', what),
    tokenUrl: readTokenUrl(variables, what),
    scope: variables.required('HOOK_OAUTH_SCOPE', what),
    by: await readClientProof(variables),
  };
}

function readTokenUrl(variables: Variables, what: string): string {
  const issuer = variables.read('HOOK_OAUTH_ISSUER');
  return variables.valueOf('HOOK_OAUTH_TOKEN_URL') === undefined && issuer !== undefined
    ? `${issuer.replace(/\/$/, '')}/v1/token`
    : variables.required('HOOK_OAUTH_TOKEN_URL', what);
}

async function readClientProof(variables: Variables): Promise<OAuthProof['by']> {
  const hookKeyId = variables.read('HOOK_OAUTH_KEY_ID');
  if (hookKeyId === undefined) {
    const what = "the client's secret; in its place HOOK_OAUTH_KEY_ID of a hook key will do";
    return { clientSecret: await variables.secret('HOOK_OAUTH_CLIENT_SECRET', what) };
  }
  const clientSecret = variables.read('HOOK_OAUTH_CLIENT_SECRET');
  if (clientSecret === undefined) return { hookKeyId };
  variables.complain('HOOK_OAUTH_KEY_ID does not go with HOOK_OAUTH_CLIENT_SECRET: unset one of them');
  return { clientSecret };
}
