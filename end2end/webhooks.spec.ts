import { createHmac, randomUUID } from 'node:crypto';
import type { Ready } from './demo';
import { expect, test, type Connection } from './linewatch';
import { connection, open } from './page';

const ready = () => JSON.parse(process.env.END2END_READY!) as Ready;

/** Signed as Makini's own sample signs: HMAC-SHA256 over the compact JSON, in Base64. */
const sign = (body: string) => createHmac('sha256', ready().webhook_secret).update(body).digest('base64');

async function post(body: string, signature?: string): Promise<{ status: number; json: Record<string, unknown>; headers: Headers }> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (signature !== undefined) headers['x-webhook-signature'] = signature;
  const answer = await fetch(ready().webhook_url, { method: 'POST', headers, body });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
}

function reauthorization(victim: Connection, id: string): string {
  const data = { reason: 'Password changed at the source', code: 'AUTHENTICATION_FAILED' };
  return JSON.stringify({ id, event: 'connection.reauthorization_required', timestamp: new Date().toISOString(), connection_id: victim.key, data });
}

test('a webhook signed by somebody else’s crypto is taken once, and the open page shows it within a second', async ({ page, linewatch }) => {
  const victim = await linewatch.untouched();
  await open(page, `/connections/${victim.id}`);
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'healthy');
  const id = `evt_${randomUUID()}`;
  const body = reauthorization(victim, id);

  // It is so, but Makini's own word of it is lost: only ours comes.
  await linewatch.fault('drop_webhooks', 1);
  await linewatch.act(victim, 'change_credentials');
  const first = await post(body, sign(body));
  expect([first.status, first.json.duplicate]).toEqual([200, false]);
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'reauthorization_required', { timeout: 1_000 });

  const again = await post(body, sign(body));
  expect([again.status, again.json.duplicate, again.json.id]).toEqual([200, true, first.json.id]);
  const other = JSON.stringify({ ...JSON.parse(body), data: {} });
  const reused = await post(other, sign(other));
  expect([reused.status, reused.json.duplicate], 'a known id with other bytes').toEqual([200, true]);
  const { items } = await linewatch.ask<{ items: { duplicates: number }[] }>(`/api/v1/events?webhook_id=${id}`);
  expect(items.map((event) => event.duplicates)).toEqual([2]);
  await expect(page.getByRole('main')).toContainText('Password changed at the source');
  await linewatch.mend();
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'healthy');
});

test('what is forged, unsigned, no JSON or too large is turned away with a reason', async ({ linewatch }) => {
  const victim = await linewatch.untouched();
  const body = reauthorization(victim, `evt_${randomUUID()}`);
  const huge = JSON.stringify({ event: 'sync.completed', padding: 'x'.repeat(1_100_000) });
  for (const [what, status, sent, signature] of [
    ['forged', 401, body, createHmac('sha256', 'another secret').update(body).digest('base64')],
    ['unsigned', 401, body, undefined],
    ['empty', 400, '', sign('')],
    ['not JSON', 400, 'sync.completed', sign('sync.completed')],
    ['too large', 413, huge, sign(huge)],
  ] as const) {
    const answer = await post(sent, signature);
    expect(answer.status, what).toBe(status);
    expect(answer.headers.get('content-type'), what).toBe('application/problem+json');
    expect(String(answer.json.detail).length, `${what}: ${answer.json.detail}`).toBeGreaterThan(20);
  }
  expect((await linewatch.connection(victim.id)).health).toBe('healthy');
  const stranger = await fetch(ready().webhook_url.replace(/demo$/, 'nobody'), { method: 'POST', body, headers: { 'x-webhook-signature': sign(body) } });
  expect(stranger.status).toBe(404);
});
