import { startEmulatedServer } from '#lib/testing/server/emulated-server.js';
import type { Fault, FaultRule } from '#lib/testing/server/faults.js';
import { jsonReply, okReply, type Answer } from '#lib/testing/server/reply.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { mustNotShow } from '#harness/witness.js';

/** Another telephony hook, such as a vendor's, on the loopback interface. */
export interface OtherHook {
  readonly url: string;
  /** What it requires of its caller. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: readonly RecordedRequest[];
  /** How many codes it sent. */
  readonly sent: number;
  readonly redirectHits: number;
  /** What it answers from now on. */
  answerWith(body: unknown, status?: number): void;
  fault(rule: FaultRule | Fault): void;
  clearFaults(): void;
  close(): Promise<void>;
}

/** An answer with one command, as Okta documents it. */
export const commandWith = (value: object): object => ({
  commands: [{ type: 'com.okta.telephony.action', value: [value] }],
});

export async function startOtherHook(): Promise<OtherHook> {
  const secret = 'other-hook-secret-77a1';
  mustNotShow(secret);
  const authorization = `Basic ${secret}`;
  let answer: { readonly body: unknown; readonly status: number } | undefined;
  let sent = 0;
  const handle: Answer = ({ headers }) => {
    if (headers.authorization !== authorization) {
      return jsonReply(401, { error: { errorSummary: 'Not allowed', errorCauses: [] } });
    }
    if (answer !== undefined) return jsonReply(answer.status, answer.body);
    const transactionId = `other-${sent + 1}`;
    return {
      ...okReply(commandWith({ status: 'SUCCESSFUL', transactionId })),
      commit: () => {
        sent += 1;
      },
    };
  };
  const server = await startEmulatedServer({ clock: Date.now, callTimeoutMs: 1000 });
  server.serve({
    routes: [['post', '/flow/invoke', handle]],
    notFound: () => jsonReply(404, { message: 'Not found' }),
  });
  return {
    url: `${server.origin}/flow/invoke?client=okta`,
    headers: { authorization },
    requests: server.requests,
    get sent() {
      return sent;
    },
    get redirectHits() {
      return server.redirectHits;
    },
    answerWith: (body, status = 200) => {
      answer = { body, status };
    },
    fault: server.fault,
    clearFaults: server.clearFaults,
    close: server.close,
  };
}
