import { jsonReply, type Reply } from '../server/reply.js';
import { validationFailed } from './errors.js';
import { HOOK_HEADERS } from './hook-call.js';
import type { HookProof } from './hook-proof.js';
import type { EmulatedInlineHook } from './inline-hooks.js';
import { asList, fieldOf, isObject, parseJson, textFieldOf } from '../../core/json.js';
import { callOutWithRetry, type Outbound } from './outbound.js';
import { judgeAnswer } from './verdict.js';

/** Answers `POST /api/v1/inlineHooks/{id}/execute`: calls the hook, and once more where it fails. */
export async function executeHook(
  hook: EmulatedInlineHook,
  payload: unknown,
  prove: () => Promise<HookProof>,
  outbound: Outbound,
): Promise<Reply> {
  const type = textFieldOf(payload, 'eventType');
  if (type !== hook.type) return validationFailed('eventType', `eventType: It is not ${hook.type}.`);
  const proof = await prove();
  if (proof.headers === undefined) return validationFailed('inlineHook', proof.problem);
  const answers = await callOutWithRetry(
    {
      method: 'POST',
      url: hook.channel.uri,
      headers: { ...HOOK_HEADERS, ...proof.headers },
      body: JSON.stringify(payload),
    },
    outbound,
  );
  const { status, text, problem } = answers.at(-1) ?? {};
  if (status === undefined || text === undefined)
    return validationFailed('inlineHook', problem ?? 'no answer');
  const verdict = judgeAnswer({ status, text });
  const body = parseJson(text);
  // FAILED is an answer of the contract like any other.
  const isOfContract = verdict.action !== 'failover' || verdict.reason === 'FAILED';
  if (!isOfContract || !isObject(body)) return validationFailed('inlineHook', verdict.reason);
  return jsonReply(200, {
    error: body['error'] ?? null,
    commands: commandsOf(body),
    debugContext: fieldOf(body, 'debugContext') ?? {},
  });
}

/** What Okta understood of the commands; it leaves out what it does not know. */
function commandsOf(body: object): object[] {
  const commands = fieldOf(body, 'commands');
  if (!Array.isArray(commands)) return [];
  return commands.map((command: unknown) => {
    const values = fieldOf(command, 'value');
    return {
      type: fieldOf(command, 'type'),
      value: asList(values).map((value) => {
        const known = ['status', 'provider', 'transactionId', 'transactionMetadata'];
        return Object.fromEntries(
          known.flatMap((name) => {
            const field = textFieldOf(value, name);
            return field === undefined ? [] : [[name, field]];
          }),
        );
      }),
    };
  });
}
