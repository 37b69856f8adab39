import type { SeenRequest } from './prism.js';

/** Requests of the command line without an operation in the trimmed documents. Each link leads to the vendor's page. */
const OUTSIDE: readonly (readonly [path: RegExp, source: string])[] = [
  [
    /^\/api\/v1\/authenticators$/,
    'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/',
  ],
  [
    /^\/api\/v1\/users\/[^/]+\/roles$/,
    'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/',
  ],
  [
    /^\/\.well-known\/okta-organization$/,
    'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingMetadata/',
  ],
  [
    /^\/2010-04-01\/Accounts\/\w+\/OutgoingCallerIds\.json/,
    'https://www.twilio.com/docs/voice/api/outgoing-caller-ids',
  ],
  [/^\/2010-04-01\/Accounts\/\w+\/Balance\.json$/, 'https://www.twilio.com/docs/usage/api/balance'],
];

/** Whether no document has an operation for a path. */
export function isOutsidePath(path: string): boolean {
  return OUTSIDE.some(([pattern]) => pattern.test(path));
}

export function isOutside({ path }: SeenRequest): boolean {
  return isOutsidePath(path);
}
