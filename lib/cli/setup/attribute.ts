import { createOptInAttributeSetup } from '../../okta/admin/opt-in-attribute.js';
import { flags, YES, type Command } from '../command.js';
import { runSetup } from './setup.js';

const DEFAULT_ATTRIBUTE = 'whatsAppOptIn';

export const setupAttribute: Command = {
  name: 'setup attribute',
  summary: 'sets up the attribute by which users opt in, on the default user profile',
  help: `Creates or updates a boolean that users may change themselves, mastered by Okta. It has no default: no value is no consent.

  -y, --yes    make the changes without asking
  --read-only  users may only see it: for your own page that changes it for them, such as the example's

Environment: OPT_IN_ATTRIBUTE, the attribute's variable name (${DEFAULT_ATTRIBUTE}).
Service app: okta.schemas.read, okta.schemas.manage. Role: Organization Administrator.

  okta-telephony-hook setup attribute
  OPT_IN_ATTRIBUTE=codesByWhatsApp okta-telephony-hook setup attribute --yes --json`,
  options: { ...YES, ...flags('read-only') },
  run: (call) =>
    runSetup(call, 'setup attribute', () => {
      const name = call.variables.read('OPT_IN_ATTRIBUTE') ?? DEFAULT_ATTRIBUTE;
      const ownAccess = call.options['read-only'] === true ? 'READ_ONLY' : 'READ_WRITE';
      const scopes = ['okta.schemas.read', 'okta.schemas.manage'];
      return Promise.resolve({
        subject: `The attribute ${name}`,
        access: { scopes, role: 'the role Organization Administrator (or Super Administrator)' },
        make: (org) => ({ setup: createOptInAttributeSetup(org.as(scopes), name, ownAccess) }),
        next: [
          `Set ${name} to true for yourself: Okta, Directory > People > you > Profile. It appears there within a minute.`,
          ...(name === DEFAULT_ATTRIBUTE
            ? []
            : [`Give the gateway the same name: optInAttribute: '${name}'.`]),
          'okta-telephony-hook setup hook',
        ],
      });
    }),
};
