import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes files of JSON into a new folder, which it deletes afterwards. */
export async function withFiles(
  files: Readonly<Record<string, unknown>>,
  use: (folder: string) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'simulate-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), JSON.stringify(content));
    }
    use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
