// What only a browser can measure. Told what to do by the JSON in BENCH; answers one line of JSON.
// Playwright comes from end2end, Lighthouse from the tools directory of the bench; the browser is the machine's own.

import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const ask = JSON.parse(process.env.BENCH);
const { chromium } = createRequire(join(ask.end2end, 'package.json'))('playwright-core');
const options = {
  headless: true,
  executablePath: ask.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
const viewport = { width: 1360, height: 900 };

async function signIn(context) {
  const answer = await context.request.post(`${ask.url}/login`, { form: { email: ask.email, password: ask.password }, maxRedirects: 0 });
  if (answer.status() !== 303) throw new Error(`signing in was answered ${answer.status()}`);
}

/** Notes, from the very beginning of a document, what it paints, what blocks it, and when it is alive. */
function observe() {
  const seen = (window.seen = { paint: 0, first: 0, tasks: [], alive: null });
  const on = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  on('largest-contentful-paint', (entry) => (seen.paint = entry.startTime));
  on('paint', (entry) => entry.name === 'first-contentful-paint' && (seen.first = entry.startTime));
  on('longtask', (entry) => seen.tasks.push({ at: entry.startTime, ms: entry.duration }));
  const look = () => {
    if (document.querySelector('.live-sign')?.textContent.trim() === 'Live') seen.alive = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Opens a page in a browser context that has never seen it. */
async function paint() {
  const browser = await chromium.launch(options);
  const runs = [];
  for (let run = 0; run <= ask.runs; run++) {
    const context = await browser.newContext({ viewport });
    await signIn(context);
    const page = await context.newPage();
    await page.addInitScript(observe);
    await page.goto(`${ask.url}/connections`);
    await page.waitForFunction(() => window.seen.alive !== null, undefined, { timeout: 20_000 });
    await sleep(500);
    const { paint, first, tasks, alive } = await page.evaluate(() => window.seen);
    const blocking = tasks.filter((task) => task.at + task.ms > first).reduce((sum, task) => sum + Math.max(0, task.ms - 50), 0);
    // the first one warms the server and the browser
    if (run > 0) runs.push({ paint, alive, blocking });
    await context.close();
  }
  await browser.close();
  return runs;
}

/** From before a webhook is sent until the row of its connection has changed on an open page. */
async function live() {
  const browser = await chromium.launch(options);
  const context = await browser.newContext({ viewport });
  await signIn(context);
  const page = await context.newPage();
  await page.goto(`${ask.url}/connections?sort=customer&health=healthy&source=bench`);
  await page.locator('.live-sign', { hasText: /^Live$/ }).waitFor();
  const ids = await page.locator('main tr[data-connection][data-health="healthy"]').evaluateAll((rows) => rows.map((row) => row.dataset.connection));
  const runs = [];
  for (let run = 0; run < ask.runs; run++) {
    const times = [];
    for (const id of ids.splice(0, ask.samples)) {
      const { key } = await (await context.request.get(`${ask.url}/api/v1/connections/${id}`)).json();
      await sleep(350 + 200 * Math.random());
      const changed = page.evaluate(
        (id) =>
          new Promise((resolve) => {
            const look = () => document.querySelector(`main [data-connection="${id}"]`)?.dataset.health === 'failing' && resolve();
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-health'] });
          }),
        id,
      );
      const error = { code: 'SOURCE_ERROR', message: 'The source answered with an error' };
      const body = JSON.stringify({ id: `evt_${randomUUID()}`, event: 'sync.failed', timestamp: new Date().toISOString(), connection_id: key, data: { error } });
      const headers = { 'content-type': 'application/json', 'x-webhook-signature': createHmac('sha256', ask.secret).update(body).digest('base64') };
      const began = performance.now();
      const answer = await fetch(`${ask.url}/webhooks/bench`, { method: 'POST', headers, body });
      if (!answer.ok) throw new Error(`the webhook was answered ${answer.status}`);
      if ((await Promise.race([changed, sleep(10_000, 'late')])) === 'late') {
        const { health } = await (await context.request.get(`${ask.url}/api/v1/connections/${id}`)).json();
        const shown = await page.locator(`main [data-connection="${id}"]`).evaluateAll((rows) => rows.map((row) => row.dataset.health));
        throw new Error(`${key} is ${health} now, but its row shows ${shown} after ten seconds`);
      }
      times.push(performance.now() - began);
    }
    runs.push(times);
  }
  await browser.close();
  return runs;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Lighthouse's three scores of each screen, in each of its two settings. */
async function lighthouse() {
  const at = (path) => import(pathToFileURL(join(ask.tools, 'node_modules/lighthouse/core', path)).href);
  const [{ default: audit }, { default: desktop }] = await Promise.all([at('index.js'), at('config/desktop-config.js')]);
  const port = await freePort();
  const context = await chromium.launchPersistentContext('', { ...options, args: [...options.args, `--remote-debugging-port=${port}`] });
  const flags = { port, disableStorageReset: true, logLevel: 'silent', onlyCategories: ['performance', 'accessibility', 'best-practices'] };
  const scores = [];
  for (const [place, screen] of ['/login', ...ask.screens].entries()) {
    if (place === 1) await signIn(context);
    for (const form of ['desktop', 'mobile']) {
      for (let run = 0; run < (form === 'desktop' ? ask.runs : 1); run++) {
        const { lhr } = await audit(`${ask.url}${screen}`, flags, form === 'desktop' ? desktop : undefined);
        if (lhr.runtimeError) throw new Error(`${screen}: ${lhr.runtimeError.message}`);
        const [performance, accessibility, practices] = flags.onlyCategories.map((name) => Math.round(lhr.categories[name].score * 100));
        const short = Object.values(lhr.categories)
          .flatMap((category) => category.auditRefs)
          .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9)
          .map(({ id }) => id);
        scores.push({ screen, form, performance, accessibility, practices, short });
      }
    }
  }
  await context.close();
  return scores;
}

const measured = await { paint, live, lighthouse }[ask.what]();
console.log(JSON.stringify(measured));
