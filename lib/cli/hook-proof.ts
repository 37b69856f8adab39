import type { HookOAuth, HookProof } from './admin/hook-resource.js';
import { headerOption, type CommandCall } from './command.js';
import { CommandError } from './failure.js';
import type { Variables } from './environment.js';

const OAUTH = [
  'HOOK_OAUTH_CLIENT_ID',
  'HOOK_OAUTH_TOKEN_URL',
  'HOOK_OAUTH_SCOPE',
  'HOOK_OAUTH_CLIENT_SECRET',
  'HOOK_OAUTH_KEY_ID',
] as const;

/**
 * Reads from the variables how Okta authenticates at the telephony hook: by a header with HOOK_SECRET, or by OAuth 2.0.
 * Asks for a missing secret at a terminal.
 *
 * @throws CommandError for `--rotate` with a hook key.
 */
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
      'BAD_USE',
      '--rotate is for secrets, and a hook key has none.',
      'Register the public key of another hook key with the client, and set HOOK_OAUTH_KEY_ID to its id. No option is needed.',
    );
  }
  return proof;
}

/**
 * The same without a question; `undefined` if no variable is set. One variable of OAuth selects OAuth, because HOOK_SECRET
 * may be set for the event hook only.
 */
export async function readGivenProof({ options, variables }: CommandCall): Promise<HookProof | undefined> {
  if (OAUTH.some((name) => variables.read(name) !== undefined)) return readOAuthProof(variables);
  const secret = variables.read('HOOK_SECRET');
  return secret === undefined ? undefined : { kind: 'header', headerName: headerOption(options), secret };
}

async function readOAuthProof(variables: Variables): Promise<HookOAuth> {
  const what = 'it goes with the other variables HOOK_OAUTH_…';
  const issuer = variables.read('HOOK_OAUTH_ISSUER');
  return {
    kind: 'oauth',
    clientId: variables.required('HOOK_OAUTH_CLIENT_ID', what),
    tokenUrl:
      issuer === undefined || variables.hasAny('HOOK_OAUTH_TOKEN_URL')
        ? variables.required('HOOK_OAUTH_TOKEN_URL', what)
        : `${issuer.replace(/\/$/, '')}/v1/token`,
    scope: variables.required('HOOK_OAUTH_SCOPE', what),
    by: await readClientProof(variables),
  };
}

async function readClientProof(variables: Variables): Promise<HookOAuth['by']> {
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
