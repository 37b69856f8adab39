/** Node's exit code if a top-level await never settles. Node 20 passes 0 to listeners of `exit`. */
const UNSETTLED_AWAIT = 13;

/** Makes sure that each run prints its report, or the reason why it has none. */
export class Ending {
  /** True once the report is written. */
  isReported = false;
  readonly #report: (why: string) => void;

  /** @param report - writes why there is no report, at once. */
  constructor(report: (why: string) => void) {
    this.#report = report;
  }

  /** Watches until the process ends. @param atMostMs - the time limit of the run. */
  watch(atMostMs: number): void {
    // Unhandled rejections come here as well.
    process.on('uncaughtException', (error) => {
      this.#fail(error.stack ?? String(error));
    });
    setTimeout(() => {
      this.#fail(`it did not end within ${Math.round(atMostMs / 1000)} s`);
    }, atMostMs).unref();
    // A signal, or a process without more work.
    process.on('exit', (code) => {
      if (this.isReported) return;
      this.#report(`it ended with ${code} before there was a result`);
      if (code === 0 || code === UNSETTLED_AWAIT) process.exitCode = 1;
    });
  }

  #fail(why: string): void {
    this.#report(why);
    this.isReported = true;
    process.exit(1);
  }
}
