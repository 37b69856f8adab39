import { Agent } from 'undici';
import type { Channel, ChannelParts } from '#lib/channels/channel.js';
import type { ConnectedChannel, SendContext } from '#lib/core/channel.js';
import type { ChannelClient } from '#lib/delivery/channel-contract.js';
import type { HttpLimits } from '#lib/http/call.js';
import { sendRequest } from '#lib/http/request.js';

/** Connects and calls channels as a hook does. */

const AGENT = new Agent();

/** Connects a channel. The tested channels read only the given parts. */
export function connectChannel(channel: Channel, parts: Partial<ChannelParts>): ConnectedChannel {
  const given = { clock: Date.now, ...parts } as ChannelParts;
  return typeof channel === 'function' ? channel(given) : (channel.connect?.(given) ?? channel);
}

/** The reference of every attempt of `contextOf`. */
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

/** For channels that make no requests: each request throws. */
export const NO_CLIENT: ChannelClient = {
  dispatcher: {
    dispatch: () => {
      throw new Error('no request is expected');
    },
  },
  onMistake: () => undefined,
  callbackUrl: undefined,
};
