import { stdout } from 'node:process';
import { findUnmadeRequests } from './coverage.js';
import { examineEmulators } from './emulator-answers.js';
import { sortFindings, type Finding, type Report } from './findings.js';
import { examineOurRequests } from './our-requests.js';
import { findUnseenFaults } from './plants.js';
import type { VendorDocument } from './prism.js';
import type { Examined } from './proxy.js';
import { showsSecret } from './subjects.js';
import { examineTypes } from './types.js';

/**
 * Checks what the middleware sends and reads, and what the emulators answer, with the OpenAPI documents of Okta and
 * Twilio in the given folder. Returns the exit code: 0, or 1 with findings.
 */
export async function runContract(folder: string, documents: readonly VendorDocument[]): Promise<number> {
  const findings: Finding[] = [];
  const parts: readonly [string, () => Promise<Report>][] = [
    ['our requests', () => reportOf(documents, examineOurRequests, findUnmadeRequests)],
    ["the emulators' answers", () => reportOf(documents, examineEmulators)],
    ['types', () => examineTypes(folder)],
  ];
  for (const [name, examine] of parts) {
    const report = await examine();
    stdout.write(`${name}: ${report.summary}\n`);
    findings.push(...report.findings);
  }
  if (findings.length === 0) return 0;
  const sorted = sortFindings(findings);
  stdout.write(`\n${sorted.length} things do not fit:\n`);
  for (const { document, operation, what } of sorted) {
    const line = `${document}: ${operation}\n  ${what}`;
    stdout.write(`${showsSecret(line) ? `${document}: what is wrong would show a secret` : line}\n`);
  }
  return 1;
}

/** Checks exchanges, and that the checks find planted faults. */
async function reportOf(
  documents: readonly VendorDocument[],
  examine: (documents: readonly VendorDocument[]) => Promise<Examined>,
  complete: (exchanges: Examined['exchanges']) => readonly Finding[] = () => [],
): Promise<Report> {
  const { findings, exchanges } = await examine(documents);
  const unseen = await findUnseenFaults(exchanges);
  const operations = new Set(exchanges.map(({ operation }) => operation));
  return {
    findings: [...findings, ...complete(exchanges), ...unseen.findings],
    summary: `${exchanges.length} exchanges of ${operations.size} operations, ${unseen.planted} planted faults`,
  };
}
