import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { DEFAULT_PATH } from '../../options/options.js';
import { CommandError, systemCode } from '../failure.js';

/** The environment of the gateway. Other users of the machine cannot read it. */
export const ENV_FILE = 'gateway.env';
const ENV_MODE = 0o600;

/** A file of `init`, in the folder where it runs. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** The lines of `gateway.env`. @param missing - variables that were skipped: they stand there as comments. */
export function makeEnvFile(
  values: Readonly<Record<string, string>>,
  missing: readonly { readonly name: string; readonly what: string }[],
): NewFile {
  const lines = [
    '# The environment of the telephony gateway, with secrets: keep it out of version control.',
    ...Object.entries(values).map(([name, value]) => envLine(name, value)),
    ...missing.flatMap(({ name, what }) => ['', `# ${what}`, `# ${name}=`]),
  ];
  return { name: ENV_FILE, text: `${lines.join('\n')}\n` };
}

/**
 * The first way to write the value that Node reads back unchanged. Plain comes first, because docker keeps quotes. A PEM
 * key gets `\n` for its line breaks.
 *
 * @throws CommandError, without the value, if there is no such way: Node drops carriage returns, for example.
 */
function envLine(name: string, value: string): string {
  const pem = value.trim();
  const text = pem.startsWith('-----BEGIN') ? pem.replaceAll(/\r?\n/g, String.raw`\n`) : value;
  for (const quote of ['', "'", '"', '`']) {
    const line = `${name}=${quote}${text}${quote}`;
    // Node looks for the end of a quoted value on later lines, too. A comment with each quote stands for these lines.
    if (parseEnv(`${line}\n# ' " \``)[name] === text) return line;
  }
  throw new CommandError(
    'BAD_ENVIRONMENT',
    `Nothing was written: no line of an env file can hold the value of ${name}.`,
    'Remove carriage returns from the value. If it has quotes of all kinds, use another value.',
  );
}

/**
 * A gateway with the hook alone. The text is TypeScript and JavaScript. It has no top-level `await`, because a folder with a
 * `tsconfig.json` may compile to CommonJS.
 *
 * @param publicUrl - its path is that of the hook.
 */
export function makeGateway(name: string, publicUrl: string | undefined): NewFile {
  const path = publicUrl === undefined ? DEFAULT_PATH : new URL(publicUrl).pathname;
  const ownPath = path === DEFAULT_PATH ? '' : ` path: ${JSON.stringify(path)},`;
  return {
    name,
    text: `import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import express from "express";
import { oktaTelephonyHook } from "okta-telephony-hook";
import { optionsFrom } from "okta-telephony-hook/environment";
import { Registry } from "prom-client";

const metrics = new Registry();
const hook = oktaTelephonyHook({ ...optionsFrom(process.env),${ownPath} metrics });

// The public port: the hook, and one answer for the probe of the load balancer.
const app = express().disable("x-powered-by");
app.use(hook); // Before body parsers: the hook reads the body itself.
app.get("/health/ready", (_req, res) => {
  const { isReady } = hook.status();
  if (!isReady) res.set("Connection", "close"); // The next request goes to another gateway.
  res.status(isReady ? 200 : 503).json({ isReady });
});
const server = createServer(app);
server.keepAliveTimeout = 75_000; // Longer than the load balancer keeps an idle connection, which is often 60 s.
server.headersTimeout = 20_000;
server.requestTimeout = 30_000; // Longer than the hook waits for a body.
const port = Number(process.env["PORT"] || 3000);
server.listen(port, () => console.log(\`The gateway listens on port \${port}. The hook is at ${path}.\`));
void hook.ready(); // The probe gets 503 until this ends. The hook logs what does not work.

// Metrics and the state of the hook: on their own port, for this machine only.
const inside = express().disable("x-powered-by");
inside.get("/metrics", async (_req, res) => {
  res.type(metrics.contentType).send(await metrics.metrics());
});
inside.get("/status", (_req, res) => {
  res.json(hook.status());
});
if (process.env["METRICS_PORT"])
  inside.listen(Number(process.env["METRICS_PORT"]), process.env["METRICS_HOST"] || "127.0.0.1");

// Stops without losing a code: the probe fails, the load balancer notices, the server closes, then the hook.
let isStopping = false;
const stop = async (probeMs = 0) => {
  if (isStopping) return;
  isStopping = true;
  hook.drain();
  await wait(probeMs);
  setTimeout(() => server.closeAllConnections(), 10_000); // A caller that never ends its request.
  await new Promise((resolve) => server.close(resolve));
  await hook.close();
  process.exit(0);
};
process.on("SIGTERM", () => void stop(5_000)); // Longer than the load balancer takes to notice a failed probe.
process.on("SIGINT", () => void stop()); // Ctrl-C: no load balancer waits.
`,
  };
}

/** @throws CommandError if one of the files is there, unless `isForced`. */
export function requireAbsent(folder: string, names: readonly string[], isForced: boolean): void {
  const found = names.filter((name) => entryAt(join(folder, name)) !== undefined);
  if (isForced || found.length === 0) return;
  throw new CommandError(
    'FILE_EXISTS',
    `${found.join(' and ')} ${found.length === 1 ? 'is' : 'are'} there already, and nothing was written.`,
    'Use another folder, or --force to replace what is there.',
  );
}

/**
 * Makes the folder if it is missing, and writes the files in this order. With `isForced` it replaces those that are there, but keeps an old `gateway.env`, which
 * may hold the only copy of a secret. After a failure the old `gateway.env` is back in its place.
 *
 * @returns the name under which the old `gateway.env` is kept; `undefined` if there was none.
 * @throws CommandError
 */
export function writeFiles(folder: string, files: readonly NewFile[], isForced: boolean): string | undefined {
  let kept: string | undefined;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new CommandError(
      'NOT_WRITTEN',
      `The folder ${folder} cannot be made (${systemCode(error)}).`,
      'Check the folder above it.',
    );
  }
  for (const { name, text } of files) {
    const path = join(folder, name);
    try {
      if (isForced && name === ENV_FILE) kept = keepOldEnv(folder);
      else if (isForced) rmSync(path, { force: true });
      writeFileSync(path, text, { flag: 'wx', ...(name === ENV_FILE ? { mode: ENV_MODE } : {}) });
    } catch (error) {
      if (kept !== undefined) renameSync(join(folder, kept), join(folder, ENV_FILE));
      const code = systemCode(error);
      throw new CommandError('NOT_WRITTEN', `${name} cannot be written (${code}).`, 'Check the folder.');
    }
  }
  return kept;
}

/** What is at a path, without following a symbolic link, whose target may be missing. */
function entryAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Renames an old `gateway.env` to a name that no file has, and returns that name. */
function keepOldEnv(folder: string): string | undefined {
  const path = join(folder, ENV_FILE);
  const old = entryAt(path);
  if (old === undefined) return undefined;
  let kept = `${ENV_FILE}.bak`;
  for (let number = 2; entryAt(join(folder, kept)) !== undefined; number++) kept = `${ENV_FILE}.bak${number}`;
  // The target of a symbolic link is not ours, and chmod would change it.
  if (old.isFile()) chmodSync(path, ENV_MODE);
  renameSync(path, join(folder, kept));
  return kept;
}
