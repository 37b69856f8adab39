import { Dispatcher } from 'undici';

/** One request of a gateway to a vendor, without a network: what undici would tell its handler. */
export class VendorCall {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #isDead: () => boolean;
  readonly #onStep: () => void;
  readonly #controller: Dispatcher.DispatchController;

  /**
   * @param isDead - whether the process that asks is gone.
   * @param onStep - called before each step.
   */
  constructor(handler: Dispatcher.DispatchHandler, isDead: () => boolean, onStep: () => void) {
    this.#handler = handler;
    this.#isDead = isDead;
    this.#onStep = onStep;
    this.#controller = controllerOf(handler);
  }

  /** Writes the request. `false` if the process is gone, or has given it up. */
  leave(): boolean {
    if (this.#isOver) return false;
    this.#handler.onRequestStart?.(this.#controller, {});
    return !this.#isOver;
  }

  async after(ms: number): Promise<void> {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    this.#onStep();
  }

  /** `false` if nobody reads the answer. */
  answer(status: number, body: object): boolean {
    if (this.#isOver) return false;
    this.#handler.onResponseStart?.(this.#controller, status, { 'content-type': 'application/json' });
    this.#handler.onResponseData?.(this.#controller, Buffer.from(JSON.stringify(body)));
    this.#handler.onResponseEnd?.(this.#controller, {});
    return true;
  }

  fail(code: string): void {
    if (this.#isOver) return;
    this.#handler.onResponseError?.(this.#controller, Object.assign(new Error(code), { code }));
  }

  get #isOver(): boolean {
    return this.#controller.aborted || this.#isDead();
  }
}

function controllerOf(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchController {
  let reason: Error | null = null;
  const controller: Dispatcher.DispatchController = {
    get aborted() {
      return reason !== null;
    },
    get reason() {
      return reason;
    },
    paused: false,
    rawHeaders: null,
    rawTrailers: null,
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

/** Hands each request to a function. */
export class FunctionDispatcher extends Dispatcher {
  readonly #handle: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void;

  constructor(handle: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void) {
    super();
    this.#handle = handle;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#handle(options, handler);
    return true;
  }
}
