import { createEventHookSetup } from '../../../okta/admin/event-hook-setup.js';
import type { Setup, SetupPlan } from '../../../okta/admin/setup-plan.js';
import { createTelephonyHookSetup, warnOfNativeTelephony } from '../../../okta/admin/telephony-hook-setup.js';
import type { HookVariables } from '../variables.js';
import { fail, ok, once, warn, type Finding } from '../finding.js';
import { withAccess, type OrgLook } from './okta-access.js';

/** What Okta is set up to call. What it should be, the setups know. */

const INLINE = ['okta.inlineHooks.read'];
const EVENT = ['okta.eventHooks.read'];
const NATIVE = ['okta.customTelephonyProvider.read'];
const ROLE = 'Super Administrator, or a custom one that may see hooks';
const NO_SECRET = { kind: 'header', headerName: undefined, secret: '' } as const;

/** The hooks of an org, by the URL and the proof that they should have. */
export interface HookLook {
  telephonyHook(): Promise<Finding>;
  eventHook(): Promise<Finding>;
  nativeTelephony(): Promise<Finding>;
  /** The header by which Okta calls one of them, where that can be seen. */
  headerName(hook: 'inline' | 'event'): Promise<string | undefined>;
}

export function lookAtHooks(org: OrgLook, hook: HookVariables | undefined): HookLook {
  const plan = once(() => telephonySetup(org, hook).plan());
  const eventPlan = once(() => eventSetup(org, hook).plan());
  return {
    telephonyHook: () =>
      withAccess('The telephony hook', { scopes: INLINE, role: ROLE }, async () =>
        hook === undefined ? skipped() : telephonyFinding(await plan()),
      ),
    eventHook: () =>
      withAccess('The event hook', { scopes: EVENT, role: ROLE }, async () =>
        hook === undefined ? skipped() : eventFinding(await eventPlan()),
      ),
    async nativeTelephony() {
      const warning = await warnOfNativeTelephony(org.lookOnly(NATIVE));
      if (warning === undefined) return ok('The org has no telephony provider of its own that is on.');
      const [told = warning, ...rest] = warning.split(/: (?=turn|look)/);
      return warn(`${told}.`, capitalized(rest.join(': ')));
    },
    headerName: (kind) =>
      (kind === 'inline' ? plan() : eventPlan()).then(
        // Without a hook it is what would be made, which says nothing of what the gateway has.
        ({ id, headerName }) => (id === undefined ? undefined : headerName),
        () => undefined,
      ),
  };
}

function telephonySetup(org: OrgLook, hook: HookVariables | undefined): Setup {
  return createTelephonyHookSetup(org.lookOnly(INLINE), {
    url: hook?.url ?? '',
    name: undefined,
    proof: hook?.proof ?? NO_SECRET,
    replacedId: undefined,
    sendsSecret: false,
  });
}

function eventSetup(org: OrgLook, hook: HookVariables | undefined): Setup {
  return createEventHookSetup(org.lookOnly(EVENT), {
    url: `${hook?.url ?? ''}/events`,
    name: undefined,
    proof: NO_SECRET,
    sendsSecret: false,
  });
}

function skipped(): Finding {
  return warn('Skipped: PUBLIC_URL is not set.', 'Set it to the URL that is typed into Okta.');
}

function telephonyFinding(plan: SetupPlan): Finding {
  const { obstacle, id, steps, warnings } = plan;
  if (obstacle !== undefined) {
    return fail(obstacle.message, `okta-telephony-hook setup hook. ${obstacle.remedy}`);
  }
  const others = warnings.length === 0 ? '' : ` ${warnings.join(' ')}`;
  if (id === undefined) {
    return fail(
      `The org has no telephony hook whose URL is PUBLIC_URL.${others}`,
      'okta-telephony-hook setup hook creates it. Where Okta has another spelling of the URL, give PUBLIC_URL the same.',
    );
  }
  if (steps.length === 0) return ok(`It is active, and its URL is PUBLIC_URL.${others}`);
  return fail(
    `It is not as it should be: ${differences(plan)}.${others}`,
    'okta-telephony-hook setup hook brings it up to date in place.',
  );
}

function eventFinding(plan: SetupPlan): Finding {
  const { id, steps, warnings } = plan;
  const setUp = 'okta-telephony-hook setup event-hook';
  if (id === undefined) {
    return warn(
      'The org has no event hook whose URL is PUBLIC_URL + /events: nobody tells which codes were used.',
      `${setUp} creates it, while the gateway runs.`,
    );
  }
  const [warning] = warnings;
  if (steps.length > 0) {
    return fail(
      `It is not as it should be: ${differences(plan)}.`,
      `${setUp} brings it up to date and has it verified.`,
    );
  }
  return warning === undefined
    ? ok('It is active and verified, and is told of sign-ins and enrolments.')
    : warn(warning, 'It would tell everything twice.');
}

/** What a setup would change, but for the secret, of which Okta tells nothing. */
function differences({ steps }: SetupPlan): string {
  return steps
    .flatMap(({ changes }) => changes)
    .filter(({ field }) => !field.endsWith('secret'))
    .map(({ field, from, to }) => `${field} is ${from ?? 'not set'} in place of ${to}`)
    .join(', ');
}

function capitalized(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
