import { readdirSync, readFileSync } from 'node:fs';
import type { Finding } from './findings.js';
import { isOutsidePath } from './outside.js';
import type { Exchange } from './proxy.js';

/**
 * Finds requests in the source of lib/ that no scenario makes, because the run would not check them. The emulators send
 * no requests to vendors.
 */

const LIB = new URL('../../lib/', import.meta.url);

/** Calls of the SDK's client without an operation in the documents. */
const SDK_OUTSIDE: readonly string[] = [
  'api.v2010.accounts().balance.fetch',
  'api.v2010.accounts().outgoingCallerIds.page',
  'lookups.v2.phoneNumbers().fetch',
  'messaging.v1.services.page',
  'messaging.v1.services().usAppToPerson.page',
  'messaging.v1.tollfreeVerifications.page',
];

/** Calls of the SDK's client, and their operations. */
const SDK_CALLS: Readonly<Record<string, string>> = {
  'messages.create': 'CreateMessage',
  'messages().fetch': 'FetchMessage',
  'messages().feedback.create': 'CreateMessageFeedback',
  'calls.create': 'CreateCall',
  'api.v2010.accounts().fetch': 'FetchAccount',
  'api.v2010.accounts().incomingPhoneNumbers.page': 'ListIncomingPhoneNumber',
  'content.v1.contents().fetch': 'FetchContent',
  'content.v1.contents().approvalFetch().fetch': 'FetchApprovalFetch',
  'messaging.v1.services().fetch': 'FetchService',
  'messaging.v1.services().phoneNumbers.page': 'ListPhoneNumber',
  'verify.v2.services().fetch': 'FetchService',
  'verify.v2.services().verifications.create': 'CreateVerification',
  'verify.v2.services().verifications().update': 'UpdateVerification',
};

export function findUnmadeRequests(exchanges: readonly Exchange[]): Finding[] {
  const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('testing'),
  );
  return files.flatMap((file) => {
    const source = readFileSync(new URL(file, LIB), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '');
    const complain = (what: string): Finding => ({
      document: 'our requests',
      operation: `lib/${file}`,
      what,
    });
    return [
      ...pathsIn(source)
        .filter((path) => !isOutsidePath(path))
        .filter((path) => !exchanges.some(({ request }) => request.path.startsWith(path)))
        .map((path) => complain(`No scenario requests ${path}`)),
      ...sdkCallsIn(source)
        .filter((name) => !SDK_OUTSIDE.includes(name))
        .flatMap((name) => {
          const operationId = SDK_CALLS[name];
          if (operationId === undefined) return [complain(`client.${name} is not known to coverage.ts`)];
          return exchanges.some(({ operation }) => operation.iid === operationId)
            ? []
            : [complain(`No scenario makes the request ${operationId}`)];
        }),
    ];
  });
}

/** Paths such as `/api/v1/users/`, up to the first placeholder. */
function pathsIn(source: string): readonly string[] {
  return [...new Set([...source.matchAll(/[`'"](\/api\/v1\/[\w/-]*)/g)].map(([, path = '']) => path))];
}

/** `client.messages(sid).fetch(` as `messages().fetch`. */
function sdkCallsIn(source: string): readonly string[] {
  const calls = source.matchAll(/\bclient((?:\s*\.\w+(?:\([^()]*\))?)*\s*\.(?:create|fetch|update|page))\(/g);
  return [
    ...new Set([...calls].map(([, call = '']) => call.replace(/\s+/g, '').replace(/\([^)]*\)/g, '()'))),
  ].map((call) => call.slice(1));
}
