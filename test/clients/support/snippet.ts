import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FENCED = /^```python\n(# (\w+\.py)[^\n]*\n[\s\S]*?)^```$/gm;

/**
 * Writes the Python files that pages of the docs show, each in a block that begins with `# NAME.py`, into a new folder: what is
 * shown there is what runs here.
 * @param pages paths from the project's root, such as `docs/AGENTS.md`
 * @throws Error for a page that shows none
 */
export function pythonOfDocs(...pages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-docs-'));
  for (const page of pages) {
    const blocks = [...readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8').matchAll(FENCED)];
    if (blocks.length === 0) throw new Error(`${page} shows no Python`);
    for (const [, text = '', name = ''] of blocks) writeFileSync(join(folder, name), text);
  }
  return folder;
}
