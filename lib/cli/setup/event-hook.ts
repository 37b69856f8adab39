import { createEventHookSetup } from '../../okta/admin/event-hook-setup.js';
import { headerOption, textOption, type Command } from '../command.js';
import { hookRole } from '../org.js';
import { createSecretCheck, SECRET_HELP, SECRET_OPTIONS } from './secret-order.js';
import { runSetup, SETUP_OPTIONS } from './setup.js';

const SCOPES = ['okta.eventHooks.read', 'okta.eventHooks.manage'];

export const setupEventHook: Command = {
  name: 'setup event-hook',
  summary: 'sets up the event hook, which reports the used codes, and has Okta verify it',
  help: `Creates the event hook, or changes the one with the URL PUBLIC_URL + /events in place, and has Okta verify it. It does not
touch other event hooks. The gateway must be running, because Okta calls it once.

  -y, --yes      make the changes without asking
  --name <name>  its name in Okta
  --header <h>   the header with the secret (unchanged; Authorization for a new hook)
${SECRET_HELP}

Environment: PUBLIC_URL of the telephony hook, and HOOK_SECRET, the whole header value.
Service app: okta.eventHooks.read, okta.eventHooks.manage. Role: a custom administrator role with okta.eventhooks.manage
(or Super Administrator).

  okta-telephony-hook setup event-hook
  okta-telephony-hook setup event-hook --rotate --yes`,
  options: { ...SETUP_OPTIONS, ...SECRET_OPTIONS, name: { type: 'string' }, header: { type: 'string' } },
  run: (call) =>
    runSetup(call, 'setup event-hook', async () => {
      const { options, variables } = call;
      const publicUrl = variables.required('PUBLIC_URL', "the telephony hook's own public URL");
      const url = `${publicUrl.replace(/\/+$/, '')}/events`;
      const secret = await variables.secret(
        'HOOK_SECRET',
        "the whole header value that Okta's event hook sends",
      );
      const proof = { kind: 'header', headerName: headerOption(options), secret } as const;
      return {
        subject: 'The event hook',
        access: { scopes: SCOPES, role: hookRole('okta.eventhooks.manage') },
        make: (org) => ({
          setup: createEventHookSetup(org.as(SCOPES), {
            url,
            name: textOption(options, 'name'),
            proof,
            sendsSecret: options['rotate'] === true,
          }),
          check: createSecretCheck(call, org, { url, route: 'events', proof }),
        }),
        next: () => [
          'Sign in with a code: the gateway logs code.used. After the activation of the event hook that may take some minutes.',
        ],
      };
    }),
};
