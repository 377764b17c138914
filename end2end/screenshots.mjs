// Takes pictures of every screen, light and dark, wide and narrow, of a demo that is running:
//
//   node screenshots.mjs FOLDER URL EMAIL PASSWORD
//
// URL, e-mail and password are what `linewatch demo` prints. Pictures are named <screen>-<width>-<light|dark>.png.

import { chromium } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { address, screens } from './screens.mjs';

const [folder, url, email, password] = process.argv.slice(2);
if (!password) {
  console.error('usage: node screenshots.mjs FOLDER URL EMAIL PASSWORD');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.LINEWATCH_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of [[1360, 900], [390, 844]]) {
      const context = await browser.newContext({ baseURL: url, colorScheme, viewport: { width, height }, reducedMotion: 'reduce', deviceScaleFactor: 2 });
      const page = await context.newPage();
      const take = (name) => page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });

      const [before, after] = [screens.filter((screen) => screen.alone), screens.filter((screen) => !screen.alone)];
      for (const screen of before) {
        await page.goto(screen.path);
        await take(screen.name);
      }
      await page.goto('/login');
      await page.getByLabel('E-mail').fill(email);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL('/');
      const ask = async (path) => (await page.request.get(path)).json();
      for (const screen of after) {
        await page.goto(await address(screen, ask));
        await page.locator('.live-sign', { hasText: /^Live$/ }).waitFor();
        await take(screen.name);
      }
      for (const [name, key] of [['keys', '?'], ['palette', 'Control+k']]) {
        await page.goto('/connections');
        await page.locator('.live-sign', { hasText: /^Live$/ }).waitFor();
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        await take(name);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}
