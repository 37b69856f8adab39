const PATHS = {
  whatsapp: 'M12 3a9 9 0 0 0-7.7 13.6L3 21l4.5-1.2A9 9 0 1 0 12 3Zm-3.4 5c.7 3.6 3.800 6.600 7.400 7.300',
  sms: 'M4 5h16v11H9l-5 4V5Zm4 4h8m-8 3h5',
  voice: 'M6 3h3l2 5-2 2a11 11 0 0 0 5 5l2-2 5 2v3c0 1.500-1.500 3-3 3A16 16 0 0 1 3 6c0-1.500 1.500-3 3-3Z',
  copy: 'M9 9h11v11H9V9Zm-3 6H4V4h11v2',
  tick: 'm4 12 5 5L20 6',
  ticks: 'm1 13 4.500 4.500L14 8m-3.500 8 1.500 1.500L22 7',
  cross: 'M6 6l12 12M18 6 6 18',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
} as const;

/** An icon in the colour of the text. One with a meaning has words beside it. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
