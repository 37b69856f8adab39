import { request as call } from 'undici';
import { startOktaEmulator, startTwilioEmulator, type TwilioEmulator } from '../../lib/testing/index.js';
import { nameOperation, type Finding } from './findings.js';
import { callOkta } from './okta-calls.js';
import type { Operation, VendorDocument } from './prism.js';
import { forwardTo, startProxy, type Examined, type Exchange } from './proxy.js';
import { callTwilio } from './twilio-calls.js';

/** One call of an emulator's API. */
export interface EmulatorCall {
  readonly method: string;
  readonly path: string;
  /** The expected status. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** Makes a call, and returns the parsed answer. Reports a finding if the status is not the expected one. */
export type CallEmulator = (does: string, call: EmulatorCall) => Promise<unknown>;

/** Finds the routes of an emulator that no call of the run uses. */
interface Prober {
  /** The id of an existing resource, by the path segment before it, e.g. `Messages`. */
  readonly fillIn: (operation: Operation, collection: string) => string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether an answer means that the route does not exist. */
  readonly isUnserved: (status: number, body: string) => boolean;
}

/** Calls every route of the emulators that a document has, and checks the answers. */
export async function examineEmulators(documents: readonly VendorDocument[]): Promise<Examined> {
  const okta = await startOktaEmulator();
  const twilio = await startTwilioEmulator({ callbackDelayMs: 0 });
  const ofOkta = documents.filter(({ name }) => name.startsWith('okta'));
  const ofTwilio = documents.filter(({ name }) => name.startsWith('twilio'));
  try {
    return together([
      await examineEmulator(ofOkta, okta.orgUrl, (made) => callOkta(okta, made), {
        fillIn: () => undefined,
        headers: { authorization: `SSWS ${okta.apiToken}` },
        // E0000022 is an unknown route, E0000007 an unknown resource.
        isUnserved: (status, body) => status === 405 || (status === 404 && body.includes('E0000022')),
      }),
      await examineEmulator(ofTwilio, twilio.baseUrl, (made) => callTwilio(twilio, made), {
        fillIn: ({ path }, collection) =>
          collection === 'Services' && path.startsWith('/v2/')
            ? twilio.verifyServiceSid
            : sidsOf(twilio)[collection],
        headers: { authorization: basicOf(twilio.accountSid, twilio.authToken) },
        isUnserved: (status) => status === 404 || status === 405,
      }),
    ]);
  } finally {
    await Promise.all([okta.close(), twilio.close()]);
  }
}

export function basicOf(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The ids of resources that the calls before have created. */
function sidsOf(twilio: TwilioEmulator): Readonly<Record<string, string | undefined>> {
  return {
    Accounts: twilio.accountSid,
    Messages: twilio.messages[0]?.sid,
    Calls: twilio.calls[0]?.sid,
    Content: twilio.templates[0]?.sid,
    Services: twilio.messagingServiceSid,
    Verifications: twilio.verifications[0]?.sid,
  };
}

async function examineEmulator(
  documents: readonly VendorDocument[],
  origin: string,
  makeCalls: (call: CallEmulator) => Promise<void>,
  prober: Prober,
): Promise<Examined> {
  const proxy = await startProxy(documents, forwardTo(origin));
  const findings: Finding[] = [];
  try {
    await makeCalls(async (does, { method, path, status, headers, form, json }) => {
      const answer = await call(proxy.origin + path, {
        // undici knows all methods of the documents.
        method: method as 'GET',
        headers: {
          accept: 'application/json',
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: form === undefined ? JSON.stringify(json) : new URLSearchParams(form).toString(),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== status) {
        const what = `The emulator answers with ${answer.statusCode} instead of ${status}`;
        findings.push({ document: 'emulators', operation: does, what });
      }
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    });
    const examined = await proxy.examine();
    const unused = await findUnusedRoutes(documents, origin, examined.exchanges, prober);
    return together([{ findings, exchanges: [] }, examined, { findings: unused, exchanges: [] }]);
  } finally {
    await proxy.close();
  }
}

/** Finds routes of the emulator that no call uses, because the run would not check them. */
async function findUnusedRoutes(
  documents: readonly VendorDocument[],
  origin: string,
  exchanges: readonly Exchange[],
  { fillIn, headers, isUnserved }: Prober,
): Promise<Finding[]> {
  const used = new Set(exchanges.map(({ operation }) => operation));
  const findings: Finding[] = [];
  for (const document of documents) {
    for (const operation of document.operations.filter((candidate) => !used.has(candidate))) {
      const path = operation.path.replace(
        /(\w+)\/\{\w+\}/g,
        (_, collection: string) => `${collection}/${fillIn(operation, collection) ?? 'default'}`,
      );
      const answer = await call(origin + path, { method: operation.method.toUpperCase() as 'GET', headers });
      if (isUnserved(answer.statusCode, await answer.body.text())) continue;
      findings.push({
        document: document.name,
        operation: nameOperation(operation),
        what: `The emulator has this route (it answers with ${answer.statusCode}), but no call of the run uses it`,
      });
    }
  }
  return findings;
}

function together(parts: readonly Examined[]): Examined {
  return {
    findings: parts.flatMap(({ findings }) => findings),
    exchanges: parts.flatMap(({ exchanges }) => exchanges),
  };
}
