import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { LEVELS, type LogLevel } from './adapt-logger.js';

/** `process.stdout`, or a test's stream. */
export type LogDestination = Writable & { readonly fd?: number };
type Counts = Record<LogLevel, number>;

interface Write {
  readonly text: string;
  /** The lines that are lost if the write fails. */
  readonly lines: Counts;
}

/** How much may wait here, in characters. The destination's buffer holds at most as much again. */
export const MAX_WAITING = 1_000_000;
/** How often an exiting process waits for a full pipe, in all, and how long each time, milliseconds. */
const EXIT_PAUSES = 50;
const EXIT_PAUSE_MS = 10;

const SLOW = 'stdout was not read fast enough';

/**
 * Writes lines to stdout so that stdout can neither end the process nor fill its memory. It writes the lines of one turn of the
 * event loop at once, and a warning or an error immediately, with the lines that wait. While stdout is full, lines wait. Lines
 * for which there is no room, and lines whose write failed, are dropped and counted; one line with the count follows as soon as
 * stdout takes it. An exiting process writes what waits and what stdout has not taken, so a part may be there twice.
 */
export class LogOutput {
  readonly #destination: LogDestination;
  #text = '';
  #waiting = noLines();
  /** Writes that the destination may not have taken yet. */
  readonly #unfinished = new Set<Write>();
  #dropped = noLines();
  #reason = SLOW;
  /** The start of the next write: a failed write may have ended in the middle of a line. */
  #start: '' | '\n' = '';
  #isScheduled = false;
  #ignoresErrors = false;

  constructor(destination: LogDestination) {
    this.#destination = destination;
  }

  add(level: LogLevel, line: string): void {
    if (!this.#hasRoomFor(line)) this.#send();
    if (this.#hasRoomFor(line)) {
      this.#text += `${line}\n`;
      this.#waiting[level] += 1;
    } else {
      this.#dropped[level] += 1;
      this.#reason = SLOW;
    }
    if (level === 'info') this.#schedule();
    else this.#send();
    this.#listenForExit();
  }

  #hasRoomFor(line: string): boolean {
    return this.#text === '' || this.#text.length + line.length < MAX_WAITING;
  }

  /** Resolves once every line is written, or its write has failed. */
  async flush(): Promise<void> {
    do {
      this.#send();
      // An empty write ends after all writes before it. A patched `process.stdout.write` may never call back, but then the
      // buffer is empty.
      if (this.#destination.writableLength > 0) {
        await new Promise<void>((resolve) => {
          this.#write('', () => resolve());
        });
      }
    } while (this.#text !== '');
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  readonly #send = (): void => {
    const destination = this.#destination;
    destination.off('drain', this.#send);
    // Not `writableNeedDrain`: on stdout it stays true after a large write has failed.
    if (destination.writableLength >= destination.writableHighWaterMark) {
      destination.once('drain', this.#send);
      return;
    }
    const write = this.#take();
    if (write.text === '') return;
    this.#unfinished.add(write);
    this.#write(write.text, (error) => {
      this.#unfinished.delete(write);
      if (error !== undefined) {
        for (const level of LEVELS) this.#dropped[level] += write.lines[level];
        this.#reason = error.message;
        this.#start = '\n';
        // A failed write is not followed by `drain`.
        if (this.#text !== '') this.#schedule();
      }
      this.#listenForExit();
    });
    // A patched `write` may never call back, so its writes would stay here.
    if (destination.writableLength === 0) this.#unfinished.clear();
    this.#listenForExit();
  };

  get #hasDropped(): boolean {
    return LEVELS.some((level) => this.#dropped[level] > 0);
  }

  /** Everything that waits, with the line about dropped lines. */
  #take(): Write {
    const lines = this.#waiting;
    let text = this.#text;
    if (this.#hasDropped) {
      text += this.#report();
      for (const level of LEVELS) lines[level] += this.#dropped[level];
    }
    if (text === '') return { text, lines };
    text = this.#start + text;
    this.#start = '';
    this.#text = '';
    this.#waiting = noLines();
    this.#dropped = noLines();
    return { text, lines };
  }

  #report(): string {
    const line = JSON.stringify({
      timestamp: new Date().toISOString(),
      level: 'warn',
      message: 'okta-telephony-hook: Log lines were dropped, because stdout did not take them.',
      event: 'log.dropped',
      dropped: this.#dropped,
      reason: this.#reason,
      remedy: 'Check that the reader of stdout is fast enough, and that the disk has room.',
    });
    return `${line}\n`;
  }

  #write(text: string, onEnd: (error?: Error) => void): void {
    try {
      this.#destination.write(text, (error) => {
        if (error) this.#ignoreErrorEvent();
        onEnd(error ?? undefined);
      });
    } catch (error) {
      onEnd(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * The `error` event of each failed write comes after its callback, within the same turn, and must not end the process. A
   * permanent listener would also hide the errors of the application's own writes to stdout.
   */
  #ignoreErrorEvent(): void {
    if (this.#ignoresErrors) return;
    this.#ignoresErrors = true;
    const ignore = (): void => undefined;
    this.#destination.on('error', ignore);
    setImmediate(() => {
      this.#destination.off('error', ignore);
      this.#ignoresErrors = false;
    });
  }

  #listenForExit(): void {
    const listened = writeAtExit.size > 0;
    if (this.#text !== '' || this.#unfinished.size > 0 || this.#hasDropped) writeAtExit.add(this);
    else writeAtExit.delete(this);
    const listens = writeAtExit.size > 0;
    if (listens && !listened) process.on('exit', finishAll);
    if (listened && !listens) process.off('exit', finishAll);
  }

  /** Writes what is not written yet, because the process exits. */
  finish(): void {
    const { fd, writableLength } = this.#destination;
    const { text } = this.#take();
    // Node loses what is in the buffer. What has left it may end in the middle of a line.
    const lost =
      writableLength === 0 ? '' : ['\n', ...[...this.#unfinished].map((write) => write.text)].join('');
    if (fd === undefined) this.#write(text, () => undefined);
    else writeSynchronously(fd, lost + text);
  }
}

/**
 * The outputs that still have something to write. They share one listener, because Node warns of more than ten, and only while
 * there are any, so that an unused hook leaves nothing behind.
 */
const writeAtExit = new Set<LogOutput>();

/** Node emits `exit` after an uncaught exception, too. */
function finishAll(): void {
  for (const output of writeAtExit) output.finish();
}

function noLines(): Counts {
  return { info: 0, warn: 0, error: 0 };
}

/** For the process, which exits once. */
let pausesLeft = EXIT_PAUSES;

/** A full pipe may have room again soon, but a pipe without a reader must not keep the process running. */
function writeSynchronously(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN') || pausesLeft === 0) return;
      pausesLeft -= 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_PAUSE_MS);
    }
  }
}
