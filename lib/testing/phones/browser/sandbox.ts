import { drawing, element } from '../../../http/page/browser/dom.js';
import type { PhonesAbout } from '../api.js';

/** How a phone joins the WhatsApp sandbox: by the QR code, as with Twilio's own, or by its words. */
export function fillSandbox(place: HTMLElement, { sandbox }: PhonesAbout): void {
  const size = sandbox.qrCode.length;
  const dark = sandbox.qrCode.flatMap((row, y) =>
    Array.from(row, (square, x) => (square === '1' ? `M${x} ${y}h1v1h-1z` : '')),
  );
  place.replaceChildren(
    element('h2', { id: 'sandbox-title' }, 'The WhatsApp sandbox'),
    drawing(
      'svg',
      {
        class: 'qr',
        viewBox: `0 0 ${size} ${size}`,
        role: 'img',
        'aria-label': `QR code of ${sandbox.link}`,
        'shape-rendering': 'crispEdges',
      },
      drawing('path', { d: dark.join('') }),
    ),
    element(
      'p',
      {},
      'At Twilio, a phone that scans this writes ',
      element('strong', {}, sandbox.joinWords),
      ` to ${sandbox.number}. Here the button “Join” does it; who is not in the sandbox gets SMS.`,
    ),
  );
}
