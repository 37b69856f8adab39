import { createTelephonyHookSetup, warnOfNativeTelephony } from '../../okta/admin/telephony-hook-setup.js';
import type { Command } from '../command.js';
import { readHookProof } from '../doctor/hook-proof.js';
import { secretCheck, SECRET_HELP, SECRET_OPTIONS } from './secret-order.js';
import { runSetup, SETUP_OPTIONS, textOption } from './setup.js';

const SCOPES = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];
/** By a token of its own: one that is not granted must not stop the rest. */
const NATIVE_SCOPES = ['okta.customTelephonyProvider.read'];

export const setupHook: Command = {
  name: 'setup hook',
  summary: 'the telephony inline hook, which Okta calls to have codes delivered',
  help: `Creates it, or changes the one whose URL is PUBLIC_URL in place. Another one is shown and left alone.

  -y, --yes      do what is shown without asking; another's hook is not touched by that
  --replace <id> make this hook of another's ours, in place: an org has one active telephony hook
  --name <name>  what it is called in Okta
  --header <h>   the header that has the secret (as it is; Authorization for a new one)
${SECRET_HELP}

Environment: PUBLIC_URL, the hook's; and HOOK_SECRET, the header's whole value.
In place of HOOK_SECRET OAuth 2.0: HOOK_OAUTH_CLIENT_ID, HOOK_OAUTH_TOKEN_URL, HOOK_OAUTH_SCOPE, and
HOOK_OAUTH_CLIENT_SECRET, or HOOK_OAUTH_KEY_ID of a hook key (HKY…) whose public half the client has.
Service app: okta.inlineHooks.read, okta.inlineHooks.manage, and okta.customTelephonyProvider.read to see whether the org
sends by itself, too. Role: Super Administrator.

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
        access: { scopes: SCOPES, role: 'Super Administrator' },
        make: (org) => ({
          setup: createTelephonyHookSetup(org.as(SCOPES), {
            url,
            name: textOption(options, 'name'),
            proof,
            replacedId: textOption(options, 'replace'),
            sendsSecret: isRotated,
          }),
          check: secretCheck(call, org, { url, proof }),
        }),
        lookAround: async (org) => {
          const warning = await warnOfNativeTelephony(org.as(NATIVE_SCOPES));
          return warning === undefined ? [] : [warning];
        },
        next: () => [
          ...(isRotated
            ? [
                'okta-telephony-hook setup event-hook --rotate, if the event hook has the same secret.',
                'When codes have gone out for some minutes, take the previous secret off the gateway: credentials.hook.secrets.',
              ]
            : []),
          'Try it: okta-telephony-hook preview --user <your login>. It sends a real message.',
          ...(isRotated ? [] : ['okta-telephony-hook setup event-hook, to hear which codes were used.']),
        ],
      };
    }),
};
