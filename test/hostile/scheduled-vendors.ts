import type fc from 'fast-check';
import { Dispatcher } from 'undici';
import { ANA } from '#harness/scene.js';

/** A message that has left, or may have, and its outcome until now. */
export interface SentRecord {
  outcome: 'open' | 'accepted' | 'refused' | 'unknown';
  /** The send took time, by the clock of the test. */
  tookTime: boolean;
  readonly leftAt: number;
  /** All sends before it were refused when it left. */
  readonly isAllowed: boolean;
}

export function openSend(before: readonly SentRecord[], isTooLate = false): SentRecord {
  const isAllowed = !isTooLate && before.every(({ outcome }) => outcome === 'refused');
  return { outcome: 'open', tookTime: true, leftAt: Date.now(), isAllowed };
}

export function endSend(record: SentRecord, outcome: SentRecord['outcome']): void {
  record.outcome = outcome;
  record.tookTime = Date.now() > record.leftAt;
}

/** The result of one outgoing call. */
export type VendorStep =
  | '200'
  | '201'
  | '302'
  | '400'
  | '429'
  | '500'
  | '503'
  | 'not found'
  | 'reset'
  | 'cut'
  | 'silent'
  | 'never connected'
  | 'refused connection';

interface Script {
  readonly okta: () => VendorStep;
  /** `count`: the number of requests for messages before. */
  readonly twilio: (count: number) => VendorStep;
}

const BODIES: Partial<Readonly<Record<VendorStep, unknown>>> = {
  '200': { id: ANA.id, profile: { login: ANA.login, whatsAppOptIn: true } },
  '201': { sid: `SM${'ab'.repeat(16)}`, status: 'queued' },
  // Of Twilio. One without a code is not Twilio's.
  '400': { code: 29_999 },
  '429': { code: 20_429 },
  '503': { code: 20_503 },
  'not found': { errorCode: 'E0000007' },
};

/** With Twilio's own error. */
const REFUSALS: ReadonlySet<VendorStep> = new Set(['400', '429', '503']);

/**
 * Okta and Twilio without a network, as a dispatcher of undici: each step of a call waits for its turn in the
 * scheduler. A request leaves at `onRequestStart`; an abort before that stops it.
 */
export class ScheduledVendors extends Dispatcher {
  readonly #scheduler: fc.Scheduler;
  readonly #script: Script;
  readonly #sends: SentRecord[];
  #twilioRequests = 0;

  constructor(scheduler: fc.Scheduler, script: Script, sends: SentRecord[]) {
    super();
    this.#scheduler = scheduler;
    this.#script = script;
    this.#sends = sends;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const isForOkta = options.path.startsWith('/api/v1/users/');
    const step = isForOkta ? this.#script.okta() : this.#script.twilio(this.#twilioRequests);
    if (!isForOkta) this.#twilioRequests += 1;
    void this.#run(step, isForOkta, handler);
    return true;
  }

  async #run(step: VendorStep, isForOkta: boolean, handler: Dispatcher.DispatchHandler): Promise<void> {
    const turn = (label: string): Promise<void> =>
      this.#scheduler.schedule(Promise.resolve(), `${isForOkta ? 'Okta' : 'Twilio'}: ${label}`);
    const controller = controllerOf(handler);
    if (step === 'never connected') return;
    await turn('a connection');
    if (step === 'refused connection') {
      handler.onResponseError?.(controller, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      return;
    }
    handler.onRequestStart?.(controller, {});
    if (isAborted(controller)) return;
    const record = openSend(this.#sends);
    if (!isForOkta) this.#sends.push(record);
    if (step === 'silent') return;
    await turn(`answer ${step}`);
    if (isAborted(controller)) return;
    if (step === 'reset' || step === 'cut') {
      endSend(record, 'unknown');
      if (step === 'cut') {
        handler.onResponseStart?.(controller, 201, {});
        handler.onResponseData?.(controller, Buffer.from('{"sid":"SM'));
      }
      handler.onResponseError?.(controller, Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
      return;
    }
    const status = step === 'not found' ? 404 : Number(step);
    endSend(record, status === 201 ? 'accepted' : REFUSALS.has(step) ? 'refused' : 'unknown');
    handler.onResponseStart?.(controller, status, { 'content-type': 'application/json' });
    handler.onResponseData?.(controller, Buffer.from(JSON.stringify(BODIES[step] ?? {})));
    handler.onResponseEnd?.(controller, {});
  }
}

/** A function, so that TypeScript does not narrow `aborted` to its earlier value. */
const isAborted = (controller: Dispatcher.DispatchController): boolean => controller.aborted;

function controllerOf(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchController {
  let reason: Error | null = null;
  const controller = {
    get aborted() {
      return reason !== null;
    },
    paused: false,
    get reason() {
      return reason;
    },
    abort(error: Error) {
      if (reason !== null) return;
      reason = error;
      handler.onResponseError?.(controller, error);
    },
    pause: () => undefined,
    resume: () => undefined,
  };
  return controller;
}
