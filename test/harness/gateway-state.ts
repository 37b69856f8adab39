import { LocalClaims } from '#lib/delivery/local-claims.js';
import { LocalOrder } from '#lib/delivery/order.js';
import type { StatePort } from '#lib/delivery/state.js';

/** A memory state as one of several gateways uses it: shared, except for what each process has alone. */
export function gatewayState(memory: StatePort): StatePort {
  return {
    ...memory,
    isShared: true,
    local: { claims: new LocalClaims(), order: new LocalOrder() },
    claim: (event) => {
      // The memory state leaves repeats to its own process.
      const { claims } = memory.local;
      const key = event.isRepeatable ? event.key : undefined;
      const first = claims.find(key);
      if (first !== undefined) return { isFirst: false, answer: first.answer };
      const held = claims.claim(key, event.rememberMs, 0);
      const claim = memory.claim(event);
      if ('then' in claim || !claim.isFirst) return claim;
      return {
        ...claim,
        settle: (found) => {
          held.settle(found);
        },
        release: () => {
          claim.release();
          held.release();
        },
      };
    },
  };
}
