import { DEFAULT_LIST } from '../../../options/channel-lists.js';
import { LISTED_CHANNELS, LISTS_OF, readLists, sendingProviders } from '../../../options/read-variables.js';
import type { Variables } from '../../environment.js';
import { PROVIDER_NAMES, PROVIDERS } from '../../providers.js';
import { fail, known, ok, warn, type CheckGroup, type Finding } from '../finding.js';

/** Says which providers the numbers of each country get, by the variables with lists of providers. */
export function examineLists(variables: Variables): CheckGroup {
  const channels = LISTED_CHANNELS.filter((channel) => variables.hasAny(LISTS_OF[channel]));
  return {
    title: 'Providers of a channel',
    checks: channels.map((channel) => known(`channels.${channel}`, findingOf(channel, variables))),
  };
}

function findingOf(channel: (typeof LISTED_CHANNELS)[number], variables: Variables): Finding {
  const variable = LISTS_OF[channel];
  const lists = readLists(variables, channel);
  const sending = sendingProviders(variables, channel);
  const problems = variables.takeProblems();
  if (lists === undefined || problems.length > 0) {
    return fail(`${problems.join('; ')}.`, 'Correct it in the environment, or in a file that --env names.');
  }
  const text = describeLists(lists);
  const named = new Set([...lists.values()].flat());
  const unnamed = sending.filter((name) => !named.has(name)).map(titleOf);
  if (unnamed.length === 0) return ok(text);
  return warn(
    `${text} No list has ${unnamed.join(' and ')}, although there is a sender.`,
    `Add what is missing to ${variable}, or remove its variables.`,
  );
}

function describeLists(lists: ReadonlyMap<string, readonly string[]>): string {
  const order = (names: readonly string[]): string => names.map(titleOf).join(', then ');
  const all = order(lists.get(DEFAULT_LIST) ?? []);
  const countries = [...lists].filter(([name]) => name !== DEFAULT_LIST);
  if (countries.length === 0) return `${all}.`;
  return [...countries.map(([name, names]) => `${name}: ${order(names)}.`), `Other countries: ${all}.`].join(
    ' ',
  );
}

function titleOf(name: string): string {
  const known = PROVIDER_NAMES.find((one) => one === name);
  return known === undefined ? 'Twilio Verify' : PROVIDERS[known].title;
}
