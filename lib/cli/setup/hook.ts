import { createTelephonyHookSetup, warnOfNativeTelephony } from '../../okta/admin/telephony-hook-setup.js';
import { textOption, type Command } from '../command.js';
import { readHookProof } from '../hook-proof.js';
import { hookRole } from '../org.js';
import { createSecretCheck, SECRET_HELP, SECRET_OPTIONS } from './secret-order.js';
import { runSetup, SETUP_OPTIONS } from './setup.js';

const SCOPES = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];
/** In a separate token: if the service app lacks this scope, only the warning is missing. */
const NATIVE_SCOPES = ['okta.customTelephonyProvider.read'];

export const setupHook: Command = {
  name: 'setup hook',
  summary: 'sets up the telephony inline hook, which Okta calls to deliver codes',
  help: `Creates the telephony hook, or changes the one with the URL PUBLIC_URL in place. It shows another hook, but does not touch it.

  -y, --yes      make the changes without asking; this never touches another hook
  --replace <id> point this other hook to PUBLIC_URL, in place: an org has one active telephony hook
  --name <name>  its name in Okta
  --header <h>   the header with the secret (unchanged; Authorization for a new hook)
${SECRET_HELP}

Environment: PUBLIC_URL of the hook, and HOOK_SECRET, the whole header value.
For OAuth 2.0 instead of HOOK_SECRET: HOOK_OAUTH_CLIENT_ID, HOOK_OAUTH_TOKEN_URL, HOOK_OAUTH_SCOPE, and
HOOK_OAUTH_CLIENT_SECRET or the HOOK_OAUTH_KEY_ID of a hook key (HKY…) whose public key is registered with the client.
Service app: okta.inlineHooks.read, okta.inlineHooks.manage, and okta.customTelephonyProvider.read for the warning that the
org also has its own telephony provider. Role: a custom administrator role with okta.inlinehooks.manage
(or Super Administrator).

  okta-telephony-hook setup hook
  okta-telephony-hook setup hook --replace calabcdefghijklmnopq
  okta-telephony-hook setup hook --rotate --yes`,
  options: {
    ...SETUP_OPTIONS,
    ...SECRET_OPTIONS,
    replace: { type: 'string' },
    name: { type: 'string' },
    header: { type: 'string' },
  },
  run: (call) =>
    runSetup(call, 'setup hook', async () => {
      const { options, variables } = call;
      const url = variables.required('PUBLIC_URL', "the hook's own public URL").replace(/\/+$/, '');
      const proof = await readHookProof(call);
      const isRotated = options['rotate'] === true;
      return {
        subject: 'The telephony inline hook',
        access: { scopes: SCOPES, role: hookRole('okta.inlinehooks.manage') },
        make: (org) => ({
          setup: createTelephonyHookSetup(org.as(SCOPES), {
            url,
            name: textOption(options, 'name'),
            proof,
            replacedId: textOption(options, 'replace'),
            sendsSecret: isRotated,
          }),
          check: createSecretCheck(call, org, { url, route: 'hook', proof }),
        }),
        readWarnings: async (org) => {
          const warning = await warnOfNativeTelephony(org.as(NATIVE_SCOPES));
          return warning === undefined ? [] : [warning];
        },
        next: () => [
          ...(isRotated
            ? [
                'okta-telephony-hook setup event-hook --rotate, if the event hook has the same secret.',
                'After some minutes of successful codes, remove the previous secret from the gateway: credentials.hook.secrets.',
              ]
            : []),
          'Try it: okta-telephony-hook preview --user <your login>. It sends a real message.',
          ...(isRotated ? [] : ['okta-telephony-hook setup event-hook, to learn which codes were used.']),
        ],
      };
    }),
};
