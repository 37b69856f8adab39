import { deepFreeze } from '../core/freeze.js';
import { isObject } from '../core/json.js';
import { maskText } from '../core/masking.js';
import type { Assess, Assessment } from '../core/option-types.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { blockBy } from '../guard/limits.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { applyBlocks } from './enforce-limits.js';
import type { HookParts, ReadCall } from './call.js';

/** How long a code waits for `guard.assess`, milliseconds. */
const ASSESS_MS = 300;

/**
 * Asks the function of `guard.assess`, which may block the code. If the function fails, is late or returns a wrong value, the code
 * goes on. Never rejects.
 */
export async function assessCode(assess: Assess, call: ReadCall, parts: HookParts): Promise<void> {
  const { events, twilio } = parts;
  const { hook, budget } = call;
  const request = deepFreeze(hook.request);
  const waiting = new AbortController();
  const waitMs = budget.share(ASSESS_MS, 0.5);
  const fail = (reason: string): void => {
    events.emitFailed({ extension: 'guard.assess', reason, call: request });
  };
  try {
    // An async function, because a function without types may throw at once, or return no promise.
    const deciding = (async (): Promise<unknown> => assess(request, { signal: waiting.signal, twilio }))();
    const decided = await waitAtMost(deciding, waitMs);
    if (decided === TIMED_OUT) fail(`it took over ${Math.round(waitMs)} ms`);
    else if (decided !== undefined && !isAssessment(decided)) fail(WRONG_VALUE);
    else if (decided?.block === true) {
      const reason = maskText(decided.reason, personalDataOf(request));
      const block = blockBy('assess');
      applyBlocks([{ ...block, reason: reason === '' ? block.reason : reason }], call, parts);
    }
  } catch (error) {
    events.emitThrown({ extension: 'guard.assess', error, personal: personalDataOf(request), call: request });
  } finally {
    waiting.abort();
  }
}

const WRONG_VALUE = 'it returned neither undefined nor { block: true or false }';

/** A function without types may return anything. */
const isAssessment = (value: unknown): value is Assessment =>
  isObject(value) && typeof value['block'] === 'boolean';
