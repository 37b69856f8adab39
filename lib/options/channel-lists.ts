import type { Channel } from '../channels/channel.js';
import { isObject } from '../core/json.js';
import type { ChannelList, ChannelsByCountry } from './options.js';

/** The providers in one entry of `channels`: one list for every number, or a list for each country. */

/** A provider, with its place in `channels`: `sms`, `sms[1]`, or `sms.IN[0]` in a list by country. */
export interface PlacedChannel {
  readonly key: string;
  readonly channel: Channel;
}

/** The providers of a channel. */
export interface ChannelProviders {
  /** Each provider once, those of `default` first. The steps of a plan, reports and used codes name them by their index. */
  readonly providers: readonly PlacedChannel[];
  /** The indexes of each list in their order, by country and `default`. Without countries, `default` has all. */
  readonly lists: ReadonlyMap<string, readonly number[]>;
}

/** The name of the list for all countries that have none. */
export const DEFAULT_LIST = 'default';

/** Whether an entry of `channels` is meant as a map by country. A channel has `send` or `connect`. */
export function isByCountry(entry: unknown): entry is ChannelsByCountry {
  if (!isObject(entry) || 'send' in entry || 'connect' in entry) return false;
  return Object.keys(entry).some((key) => key === DEFAULT_LIST || /^[a-z]{2}$/i.test(key));
}

/** Reads an entry whose rules have passed. */
export function readProviders(name: string, entry: ChannelList | ChannelsByCountry): ChannelProviders {
  if (!isByCountry(entry)) {
    const list = [entry].flat();
    const keyOf = (index: number): string => (list.length === 1 ? name : `${name}[${index}]`);
    return {
      providers: list.map((channel, index) => ({ key: keyOf(index), channel })),
      lists: new Map([[DEFAULT_LIST, [...list.keys()]]]),
    };
  }
  const providers: PlacedChannel[] = [];
  const lists = new Map<string, readonly number[]>();
  const { default: first, ...others } = entry;
  // The default list begins: its providers keep their indexes, and so their callback URLs, when countries are added.
  for (const [country, list] of Object.entries<ChannelList | undefined>({
    [DEFAULT_LIST]: first,
    ...others,
  })) {
    if (list === undefined) continue;
    const indexes = [list].flat().map((channel, index) => {
      const known = providers.findIndex((placed) => placed.channel === channel);
      if (known !== -1) return known;
      const key = `${name}.${country}${Array.isArray(list) ? `[${index}]` : ''}`;
      return providers.push({ key, channel }) - 1;
    });
    lists.set(country, indexes);
  }
  return { providers, lists };
}

/** The name of the list for a number of a country. */
export function listFor(lists: ChannelProviders['lists'], country: string | undefined): string {
  return country !== undefined && lists.has(country) ? country : DEFAULT_LIST;
}
