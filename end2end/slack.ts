// Whether a message is one that Slack takes: by the types that Slack publishes, as the compiler reads them, and by the limits of
// Slack's documentation, which types do not know.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

type Json = Record<string, any>;

/**
 * What the compiler says against each of these messages; '' if nothing. `satisfies` minds properties that Slack does not know.
 * A webhook's arguments may hold blocks that nobody knows yet; ours shall be known, so they are held against `KnownBlock` alone too.
 */
export async function misfits(messages: Json[]): Promise<string[]> {
  const results = join(import.meta.dirname, 'test-results');
  mkdirSync(results, { recursive: true });
  const dir = mkdtempSync(join(results, 'slack-'));
  const files = messages.map((_, at) => `message${at}.ts`);
  messages.forEach((message, at) => {
    const lines = [
      "import type { KnownBlock } from '@slack/types';",
      "import type { IncomingWebhookSendArguments } from '@slack/webhook';",
      `(${JSON.stringify(message)}) satisfies IncomingWebhookSendArguments;`,
      `(${JSON.stringify(message.blocks)}) satisfies KnownBlock[];`,
    ];
    writeFileSync(join(dir, files[at]), `${lines.join('\n')}\n`);
  });
  const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022', module: 'nodenext', types: [] };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(import.meta.dirname, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '--pretty', 'false', '--project', dir], { cwd: dir });
    return messages.map(() => '');
  } catch (error) {
    const said = (error as { stdout?: string }).stdout ?? '';
    const found = files.map((file) => said.split('\n').filter((line) => line.startsWith(file)).join('\n'));
    if (found.every((text) => text === '')) throw new Error(`The compiler could not judge: ${said || error}`);
    return found;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What of a message is longer than Slack takes, or empty where it must not be. */
export function excesses(message: Json): string[] {
  const found: string[] = [];
  const check = (what: string, length: number, most: number, least = 1) => {
    if (length < least || length > most) found.push(`${what}: ${length}, not ${least} to ${most}`);
  };
  const blocks: Json[] = message.blocks;
  check('blocks', blocks.length, 50);
  check('text', message.text.length, 40_000);
  blocks.forEach((block, at) => {
    const what = `block ${at}, ${block.type}`;
    if (block.type === 'header') check(what, block.text.text.length, 150);
    if (block.type === 'section') {
      if (block.text) check(what, block.text.text.length, 3_000);
      if (block.fields) check(`${what}, fields`, block.fields.length, 10);
      for (const field of block.fields ?? []) check(`${what}, a field`, field.text.length, 2_000);
    }
    if (block.type === 'context') {
      check(`${what}, elements`, block.elements.length, 10);
      for (const element of block.elements) check(`${what}, an element`, element.text.length, 3_000);
    }
    if (block.type === 'actions') {
      check(`${what}, elements`, block.elements.length, 25);
      for (const button of block.elements) {
        check(`${what}, a button`, button.text.text.length, 75);
        check(`${what}, an address`, button.url.length, 3_000);
      }
    }
  });
  return found;
}
