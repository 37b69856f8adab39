import { createEventHookSetup } from '../../okta/admin/event-hook-setup.js';
import type { Command } from '../command.js';
import { secretCheck, SECRET_HELP, SECRET_OPTIONS } from './secret-order.js';
import { headerOption, runSetup, SETUP_OPTIONS, textOption } from './setup.js';

const SCOPES = ['okta.eventHooks.read', 'okta.eventHooks.manage'];

export const setupEventHook: Command = {
  name: 'setup event-hook',
  summary: 'the event hook, which tells which codes were used, and its verification',
  help: `Creates it and has Okta verify it, or changes the one whose URL is PUBLIC_URL + /events in place. Others are left alone.
The gateway must be running, for Okta asks it once.

  -y, --yes      do what is shown without asking
  --name <name>  what it is called in Okta
  --header <h>   the header that has the secret (as it is; Authorization for a new one)
${SECRET_HELP}

Environment: PUBLIC_URL, the telephony hook's; and HOOK_SECRET, the header's whole value.
Service app: okta.eventHooks.read, okta.eventHooks.manage. Role: Super Administrator.

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
        access: { scopes: SCOPES, role: 'Super Administrator' },
        make: (org) => ({
          setup: createEventHookSetup(org.as(SCOPES), {
            url,
            name: textOption(options, 'name'),
            proof,
            sendsSecret: options['rotate'] === true,
          }),
          check: secretCheck(call, org, { url, proof }),
        }),
        next: () => [
          'Sign in by a code: the gateway logs code.used, some minutes after the event hook was activated at the latest.',
        ],
      };
    }),
};
