import { parseJson, textFieldOf } from '#lib/core/json.js';
import { startVonageEmulator, type RecordedRequest } from '#lib/testing/index.js';
import type { MessageFact } from '../account/facts.js';
import { chanceOf } from '../chance.js';

/** SMS by Vonage, before Twilio: the emulator of the package, which refuses, hangs, resets connections, and reports by its webhooks. */

/** What the gateways need of it. */
export interface VonageAccount {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly signatureSecret: string;
  readonly from: string;
}

export interface VonageVendor {
  readonly account: VonageAccount;
  /** The accepted messages with their current state. */
  messages(): readonly MessageFact[];
  /** The code of each request. */
  codes(): readonly string[];
}

/** Vonage's words for statuses that the account of a run has others for. */
const STATUSES: Readonly<Record<string, string>> = { accepted: 'queued', undeliverable: 'undelivered' };

/** What a webhook says, in the words of the account. */
export function readVonageStatus(body: string): Pick<MessageFact, 'sid' | 'status'> {
  const webhook = parseJson(body);
  const status = textFieldOf(webhook, 'status') ?? '';
  return { sid: textFieldOf(webhook, 'message_uuid') ?? '', status: STATUSES[status] ?? status };
}

/**
 * @param onRequest - called with the code of each request.
 * @param stepMs - the time between the steps of a message.
 */
export async function startVonageVendor(
  seed: number,
  stepMs: number,
  onRequest: (code: string) => void,
): Promise<VonageVendor> {
  const chance = chanceOf(seed, 'vonage');
  const vonage = await startVonageEmulator({ callbackDelayMs: stepMs });
  const { baseUrl, apiKey, apiSecret, signatureSecret, number } = vonage;
  const codeIn = ({ body }: RecordedRequest): string => /\b\d{6}\b/.exec(textIn(body))?.[0] ?? '';

  // A rule that hits nothing sees every request.
  vonage.fault({
    fault: { kind: 'hang' },
    match: (request) => {
      onRequest(codeIn(request));
      return false;
    },
  });
  for (const [fault, share] of [
    [{ kind: 'slow', delayMs: 400 }, 0.08],
    [{ kind: 'slow', delayMs: 4_000 }, 0.03],
    [{ kind: 'hang', delivered: true }, 0.03],
    [{ kind: 'reset', delivered: true }, 0.03],
    [{ kind: 'html', status: 502 }, 0.02],
  ] as const) {
    vonage.fault({ fault, match: () => chance() < share });
  }
  vonage.refuseWith({ status: 422, error: '1420', match: () => chance() < 0.1 });
  vonage.failLater({ error: '1260', match: () => chance() < 0.15 });

  return {
    account: { baseUrl, apiKey, apiSecret, signatureSecret, from: number },
    codes: () => vonage.requests.map(codeIn),
    messages: () => {
      const requests = new Map(vonage.requests.map((request) => [referenceIn(request.body), request]));
      const changes = new Map(
        vonage.callbacks.map(({ params }) => [
          params['message_uuid'],
          Date.parse(String(params['timestamp'])),
        ]),
      );
      return vonage.messages.map(({ id: sid, text = '', status, client_ref: reference = '' }) => {
        const at = requests.get(reference)?.at ?? 0;
        return {
          ...{ sid, code: /\b\d{6}\b/.exec(text)?.[0] ?? '', channel: 'sms', provider: 'VONAGE', at },
          ...{ status: STATUSES[status] ?? status, statusAt: changes.get(sid) ?? at, errorCode: undefined },
        };
      });
    },
  };
}

const textIn = (body: string): string => textFieldOf(parseJson(body), 'text') ?? '';
const referenceIn = (body: string): string => textFieldOf(parseJson(body), 'client_ref') ?? '';
