export { lineChannel, type LineChannelOptions } from './line.js';
export type { ProviderParts } from './provider.js';
