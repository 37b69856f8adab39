import { readDate } from '../../../okta/rate-limit.js';
import type { Variables } from '../../environment.js';
import { fail, known, ok, warn, type CheckGroup, type Finding } from '../finding.js';
import type { OktaExamination } from './okta.js';

/** The checks of this machine: Node, clock, proxy, TLS and the file of `--env`. Doctor should run where the gateway runs. */
export function examineMachine(
  variables: Variables,
  okta: OktaExamination,
  nodeVersion = process.versions.node,
): CheckGroup {
  return {
    title: 'This machine',
    checks: [
      known('machine.node', nodeFinding(nodeVersion)),
      { name: 'machine.clock', run: () => clockFinding(okta) },
      known('machine.proxy', proxyFinding(variables)),
      known('machine.tls', trustFinding(variables)),
      ...(variables.changed === undefined ? [] : [known('machine.file', fileFinding(variables.changed))]),
    ],
  };
}

/** The oldest Node that the package supports (`engines` in package.json). */
const OLDEST = [20, 19] as const;

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? fail(`Node is ${version}.`, `Install ${OLDEST.join('.')} or later.`)
    : ok(`Node is ${version}.`);
}

/** The header `Date` has a resolution of one second. */
const RESOLUTION_MS = 1_000;
const OFF_MS = 5_000;
/** The hook warns from here on. Okta refuses service apps from one minute on. */
const FAR_OFF_MS = 30_000;

async function clockFinding({ answer }: OktaExamination): Promise<Finding> {
  const timed = await answer?.();
  const oktaMs = timed?.result.kind === 'answered' ? readDate(timed.result.headers['date']) : undefined;
  if (timed === undefined || oktaMs === undefined) {
    const where = answer === undefined ? 'okta.variables' : 'okta.org';
    return warn('The clock was not compared, because Okta did not answer.', `See ${where}.`);
  }
  // Okta wrote the date between request and answer, and somewhere within that second.
  const behindMs = oktaMs - timed.answeredAt;
  const aheadMs = timed.requestedAt - (oktaMs + RESOLUTION_MS);
  const offMs = Math.max(0, behindMs, aheadMs);
  if (offMs < OFF_MS) return ok("The clock agrees with Okta's.");
  const difference = `The clock is ${Math.round(offMs / 1000)} s ${behindMs > 0 ? 'behind' : 'ahead of'} Okta's`;
  const remedy = 'Synchronize the clock by NTP: timedatectl set-ntp true, or chrony.';
  return offMs < FAR_OFF_MS
    ? warn(`${difference}.`, remedy)
    : fail(`${difference}: tokens and codes look expired, or not valid yet.`, remedy);
}

function fileFinding(changed: readonly string[]): Finding {
  if (changed.length === 0) return ok('Docker reads the file of --env the same way.');
  return warn(
    `The file of --env has quotes, spaces, carriage returns or comments around ${changed.join(', ')}. This command and docker compose leave them out; docker's --env-file and kubectl's --from-env-file keep them, and the gateway then refuses the value.`,
    'Remove them, unless the file is for docker compose alone.',
  );
}

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'] as const;

function proxyFinding(variables: Variables): Finding {
  const named = PROXIES.filter((name) => variables.hasAny(name, name.toLowerCase()));
  if (named.length === 0) return ok('No egress proxy is named in the environment.');
  return warn(
    `${named.join(', ')} is set, but neither the gateway nor this command uses it.`,
    "If calls must go through a proxy, set the hook's option dispatcher (undici's ProxyAgent). Otherwise ignore this.",
  );
}

function trustFinding(variables: Variables): Finding {
  if (variables.valueOf('NODE_TLS_REJECT_UNAUTHORIZED') === '0') {
    return fail(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0: any server can pose as Okta or Twilio, and gets codes and secrets.',
      'Unset it, at the gateway too. Name your own certificate authority in NODE_EXTRA_CA_CERTS.',
    );
  }
  return ok("Node checks servers' certificates.");
}
