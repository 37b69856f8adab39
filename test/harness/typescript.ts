import { createRequire } from 'node:module';
import type typescript from 'typescript';

/** TypeScript 6. By require(): an import would go through the loader of tsx, and take 0.7 s more CPU time. */
export const ts = createRequire(import.meta.url)('typescript') as typeof typescript;
