import { Agent } from 'undici';
import type { Channel, ChannelParts } from '#lib/channels/channel.js';
import type { ConnectedChannel, SendContext } from '#lib/core/channel.js';
import type { ChannelClient } from '#lib/delivery/channel-contract.js';
import { sendRequest, type HttpLimits } from '#lib/http/request.js';

/** Channels as a hook would make and call them. */

const AGENT = new Agent();

/** A channel that a hook has made. Parts that are not given are read by no channel of the test. */
export function connectChannel(channel: Channel, parts: Partial<ChannelParts>): ConnectedChannel {
  const given = { clock: Date.now, ...parts } as ChannelParts;
  return typeof channel === 'function' ? channel(given) : (channel.connect?.(given) ?? channel);
}

/** The reference of every attempt by `contextOf`. */
export const REFERENCE = '3f2b8c1e-52a7-4c7d-9b1e-0a6d4f9c2e71';

/** The context of a call, within these limits. */
export function contextOf(limits: Partial<HttpLimits> = {}): SendContext {
  const { signal } = new AbortController();
  return {
    signal,
    leaveSignal: signal,
    reference: REFERENCE,
    http: (request) =>
      sendRequest(request, { dispatcher: AGENT, timeoutMs: 30_000, ...limits }, (problem) => {
        throw new Error(problem);
      }),
  };
}

/** For channels that make no requests. A mistake of theirs is nobody's. */
export const NO_CLIENT: ChannelClient = {
  dispatcher: {
    dispatch: () => {
      throw new Error('no request is expected');
    },
  },
  onMistake: () => undefined,
};
