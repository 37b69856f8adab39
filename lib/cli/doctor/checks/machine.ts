import { readDate } from '../../../okta/rate-limit.js';
import type { Variables } from '../../environment.js';
import { fail, known, ok, warn, type CheckGroup, type Finding } from '../finding.js';
import type { OktaExamination } from './okta.js';

/** The machine that this runs on, which is best the gateway's own. */
export function examineMachine(
  variables: Variables,
  okta: OktaExamination,
  nodeVersion = process.versions.node,
): CheckGroup {
  return {
    title: 'This machine',
    checks: [
      known('machine.node', nodeFinding(nodeVersion)),
      { name: 'machine.clock', look: () => clockFinding(okta) },
      known('machine.proxy', proxyFinding(variables)),
      known('machine.tls', trustFinding(variables)),
      ...(variables.changed === undefined ? [] : [known('machine.file', fileFinding(variables.changed))]),
    ],
  };
}

const OLDEST = [20, 19] as const;

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? fail(`Node is ${version}.`, `Take ${OLDEST.join('.')} or later.`)
    : ok(`Node is ${version}.`);
}

/** The `Date` of an answer has whole seconds. */
const EXACT_MS = 1_000;
const OFF_MS = 5_000;
/** From here on the hook tells it; service apps are refused from a minute on. */
const FAR_OFF_MS = 30_000;

async function clockFinding({ answer }: OktaExamination): Promise<Finding> {
  const seen = await answer?.();
  const oktas = seen?.result.kind === 'answered' ? readDate(seen.result.headers['date']) : undefined;
  if (seen === undefined || oktas === undefined) {
    const where = answer === undefined ? 'okta.variables' : 'okta.org';
    return warn("Its clock was not compared, for there is no answer of Okta's.", `See ${where}.`);
  }
  // Okta wrote it some time between question and answer, and somewhere within its second.
  const earlyMs = oktas - seen.answeredAt;
  const lateMs = seen.askedAt - (oktas + EXACT_MS);
  const offMs = Math.max(0, earlyMs, lateMs);
  if (offMs < OFF_MS) return ok("Its clock agrees with Okta's.");
  const told = `Its clock is ${Math.round(offMs / 1000)} s ${earlyMs > 0 ? 'behind' : 'ahead of'} Okta's`;
  const remedy = 'Let it keep its time by NTP: timedatectl set-ntp true, or chrony.';
  return offMs < FAR_OFF_MS
    ? warn(`${told}.`, remedy)
    : fail(`${told}: tokens and codes look expired, or not valid yet.`, remedy);
}

function fileFinding(changed: readonly string[]): Finding {
  if (changed.length === 0) return ok('The file of --env reads the same for docker.');
  return warn(
    `The file of --env has quotes, spaces, carriage returns or comments around ${changed.join(', ')}. This command and docker compose leave them out; docker's --env-file and kubectl's --from-env-file keep them, and the gateway then refuses the value.`,
    'Remove them, unless the file is for docker compose alone.',
  );
}

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'] as const;

function proxyFinding(variables: Variables): Finding {
  const named = PROXIES.filter(
    (name) => variables.valueOf(name) !== undefined || variables.valueOf(name.toLowerCase()) !== undefined,
  );
  if (named.length === 0) return ok('No egress proxy is named in the environment.');
  return warn(
    `${named.join(', ')} is set, which neither the gateway nor this command goes by.`,
    "Where a proxy has to be passed, give the hook one by the option dispatcher (undici's ProxyAgent); else this is of no concern.",
  );
}

function trustFinding(variables: Variables): Finding {
  if (variables.valueOf('NODE_TLS_REJECT_UNAUTHORIZED') === '0') {
    return fail(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0: any server is taken for Okta and Twilio, and given codes and secrets.',
      'Unset it, at the gateway too; a certificate authority of your own goes into NODE_EXTRA_CA_CERTS.',
    );
  }
  return ok('Certificates of others are checked.');
}
