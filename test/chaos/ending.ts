/** However a run ends, it says so: by its report, or by why there is none. */
export class Ending {
  /** Set once the report is written. */
  isTold = false;
  readonly #tell: (why: string) => void;

  /** @param tell - writes why there is no report, at once. */
  constructor(tell: (why: string) => void) {
    this.#tell = tell;
  }

  /** From now on, until the process ends. @param atMostMs - by when it must have ended. */
  watch(atMostMs: number): void {
    // What is rejected and nobody waits for comes here as well.
    process.on('uncaughtException', (error) => {
      this.#fail(error.stack ?? String(error));
    });
    setTimeout(() => {
      this.#fail(`it did not end within ${Math.round(atMostMs / 1000)} s`);
    }, atMostMs).unref();
    // A signal, or nothing is left that could bring the result.
    process.on('exit', (code) => {
      if (this.isTold) return;
      this.#tell(`it ended with ${code} before there was a result`);
      if (code === 0) process.exitCode = 1;
    });
  }

  #fail(why: string): void {
    this.#tell(why);
    this.isTold = true;
    process.exit(1);
  }
}
