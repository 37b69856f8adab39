import type { HookProof } from '../okta/hook-resource.js';
import { CommandError, type CommandCall } from './command.js';
import type { Variables } from './environment.js';
import { headerOption } from './setup.js';

const OAUTH = [
  'HOOK_OAUTH_CLIENT_ID',
  'HOOK_OAUTH_TOKEN_URL',
  'HOOK_OAUTH_SCOPE',
  'HOOK_OAUTH_CLIENT_SECRET',
  'HOOK_OAUTH_KEY_ID',
] as const;

/**
 * How Okta proves itself to the telephony hook, by the variables. One of OAuth is enough to mean it: HOOK_SECRET may be
 * there for the event hook.
 */
export async function readHookProof({ options, variables }: CommandCall): Promise<HookProof> {
  if (OAUTH.every((name) => variables.read(name) === undefined)) {
    const secret = await variables.secret(
      'HOOK_SECRET',
      "the whole header value that Okta's inline hook sends",
    );
    return { kind: 'header', headerName: headerOption(options), secret };
  }
  const what = 'it goes with the other variables HOOK_OAUTH_…';
  return {
    kind: 'oauth',
    clientId: variables.required('HOOK_OAUTH_CLIENT_ID', what),
    tokenUrl: variables.required('HOOK_OAUTH_TOKEN_URL', what),
    scope: variables.required('HOOK_OAUTH_SCOPE', what),
    by: await readClientProof(variables, options['rotate'] === true),
  };
}

async function readClientProof(
  variables: Variables,
  isRotated: boolean,
): Promise<Extract<HookProof, { kind: 'oauth' }>['by']> {
  const hookKeyId = variables.read('HOOK_OAUTH_KEY_ID');
  if (hookKeyId === undefined) {
    const what = "the client's secret; in its place HOOK_OAUTH_KEY_ID of a hook key will do";
    return { clientSecret: await variables.secret('HOOK_OAUTH_CLIENT_SECRET', what) };
  }
  if (variables.read('HOOK_OAUTH_CLIENT_SECRET') !== undefined) {
    throw new CommandError(
      2,
      'BAD_ENVIRONMENT',
      'HOOK_OAUTH_KEY_ID does not go with HOOK_OAUTH_CLIENT_SECRET.',
      'Unset one of them.',
    );
  }
  if (isRotated) {
    throw new CommandError(
      2,
      'BAD_USE',
      '--rotate is for secrets, and with a hook key there is none.',
      'Register the public half of another hook key with the client, and set HOOK_OAUTH_KEY_ID to it: no option is needed.',
    );
  }
  return { hookKeyId };
}
