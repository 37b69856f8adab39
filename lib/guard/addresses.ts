import { BlockList, isIP } from 'node:net';

/** IP addresses that request codes, as Okta sees them. */

/**
 * The network that counts as one address: whoever has one IPv6 address has 2^64 of them. An IPv4 address has
 * one spelling.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  const network = groups.slice(0, 4).join(':');
  if (network !== '0:0:0:0') return network;
  // An IPv4 address in IPv6, such as `::ffff:c633:6407`.
  if (groups.slice(4, 6).join(':') !== '0:ffff') return groups.join(':');
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((pair) => [pair >> 8, pair & 0xff])
    .join('.');
}

/** The eight groups of an IPv6 address, in lower case and without leading zeros. */
function groupsOf(address: string): readonly string[] {
  // `URL` does not take a zone. It writes each address in one way.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  // `::` stands for zeros.
  const [before = [], after = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const missing = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...missing, ...after];
}

/** Whether a text is an address, or a range as CIDR writes it. */
export function isAddressRange(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** @param ranges - that have passed `isAddressRange`. */
export function addressList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

export function isListed(address: string, list: BlockList): boolean {
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
