// What is forwarded, judged by libraries of other people's.

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FORGED, GOOD, Judges } from './judges';
import { expect, Linewatch, test, type Connection } from './linewatch';
import { Receiver, type Taken } from './receiver';

interface Endpoint { id: string; secret: string }
interface Forwarded { id: string; state: string; attempts: { trigger: string; outcome: string; status: number | null }[] }

let judges: Judges;
let receiver: Receiver;

test.beforeAll(() => {
  judges = new Judges();
});
test.afterAll(() => judges?.close());
test.beforeEach(async () => {
  receiver = await Receiver.listen();
  receiver.status = 200;
});
test.afterEach(() => receiver?.close());

/** An endpoint of the receiver's, for as long as it is needed. */
async function endpoint(linewatch: Linewatch, filter: object, judged: (endpoint: Endpoint) => Promise<void>): Promise<void> {
  const made = await linewatch.ask<Endpoint>('/api/v1/endpoints', 'POST', { name: `Judged ${Date.now().toString(36)}`, url: receiver.url, filter });
  try {
    await judged(made);
  } finally {
    await linewatch.ask(`/api/v1/endpoints/${made.id}`, 'DELETE');
  }
}

/** Signed as Makini's own sample signs: HMAC-SHA256 in Base64; over the bytes themselves. */
const sign = (linewatch: Linewatch, body: Buffer | string) => createHmac('sha256', linewatch.ready.webhook_secret).update(body).digest('base64');

function originalHolds(linewatch: Linewatch, taken: Taken): boolean {
  const [theirs, ours] = [Buffer.from(taken.headers['x-webhook-signature'] ?? ''), Buffer.from(sign(linewatch, taken.body))];
  return theirs.length === ours.length && timingSafeEqual(theirs, ours);
}

/** An event as only somebody careless writes it: spaces, escapes, a number that no parser gives back as it was. */
async function odd(linewatch: Linewatch, victim: Connection): Promise<{ id: string; body: Buffer }> {
  const id = `evt_${randomUUID()}`;
  const body = Buffer.from(
    `{ "data" : {"note":"Z\\u00fcrich – \\ud83d\\ude80 ümläut\\/", "rows": 1.0e+2, "big":12345678901234567890},\n\t"connection_id":"${victim.key}",` +
      ` "timestamp":"${new Date().toISOString()}","event":"sync.completed",  "id":"${id}"}\n`,
  );
  const headers = { 'content-type': 'application/json', 'x-webhook-signature': sign(linewatch, body) };
  const answer = await fetch(linewatch.ready.webhook_url, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
  return { id, body };
}

const about = (id: string) => receiver.taken.filter((taken) => taken.body.includes(id));

/** Waits until the receiver has had so many requests about an event, and answers the last. */
async function arrives(id: string, many = 1): Promise<Taken> {
  await expect.poll(() => about(id).length, { message: `the event is forwarded, ${many} times by now` }).toBe(many);
  return about(id)[many - 1];
}

test('whatever is forwarded verifies by both libraries, and Makini’s own signature still does', async ({ linewatch }) => {
  await endpoint(linewatch, {}, async ({ secret }) => {
    const [victim, other] = await linewatch.allUntouched('limit=200', 2);
    const { id, body } = await odd(linewatch, other);
    await linewatch.act(victim, 'change_credentials');
    const kinds = () => new Set(receiver.taken.map((taken) => (JSON.parse(taken.body.toString()) as { event: string }).event));
    await expect.poll(() => receiver.taken.length >= 25 && kinds().size >= 2, { timeout: 30_000 }).toBe(true);

    expect((await arrives(id)).body.equals(body), 'the very bytes that came').toBe(true);
    const all = [...receiver.taken];
    for (const taken of all) {
      expect(await judges.judge(taken, secret), taken.body.toString()).toEqual(GOOD);
      expect(originalHolds(linewatch, taken), taken.body.toString()).toBe(true);
      expect(taken.headers['content-type']).toContain('application/json');
    }
    expect(new Set(all.map((taken) => taken.headers['webhook-id'])).size, 'each has an id of its own').toBe(all.length);
  });
});

test('both libraries refuse what was tampered with', async ({ linewatch }) => {
  const victim = await linewatch.untouched();
  await endpoint(linewatch, { customers: [victim.customer.id] }, async ({ secret }) => {
    const { id } = await odd(linewatch, victim);
    const taken = await arrives(id);
    expect(await judges.judge(taken, secret)).toEqual(GOOD);
    const { 'webhook-id': itsId, 'webhook-timestamp': at, 'webhook-signature': signature } = taken.headers;
    const spoilt = Buffer.from(taken.body);
    spoilt[spoilt.length - 3] ^= 1;
    const changed = (headers: Record<string, string>): Taken => ({ ...taken, headers: { ...taken.headers, ...headers } });
    for (const [what, tampered] of Object.entries({
      body: { ...taken, body: spoilt },
      'a space more': { ...taken, body: Buffer.concat([taken.body, Buffer.from(' ')]) },
      id: changed({ 'webhook-id': itsId.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
      time: changed({ 'webhook-timestamp': String(Number(at) + 1) }),
      signature: changed({ 'webhook-signature': signature.replace(/^v1,./, (start) => (start.endsWith('A') ? 'v1,B' : 'v1,A')) }),
      'no version 1': changed({ 'webhook-signature': signature.replaceAll('v1,', 'v2,') }),
    })) {
      expect(await judges.judge(tampered, secret), what).toEqual(FORGED);
    }
    const somebodyElses = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    expect(await judges.judge(taken, somebodyElses)).toEqual(FORGED);
    const old = await judges.judge(changed({ 'webhook-timestamp': String(Number(at) - 600) }), secret);
    expect(old, 'a replay').toEqual({ node: 'Message timestamp too old', python: 'Message timestamp too old' });
    expect(originalHolds(linewatch, { ...taken, body: spoilt }), 'Makini’s signature is over the bytes').toBe(false);
  });
});

test('while a secret is being rotated the old one and the new one verify', async ({ linewatch }) => {
  const victim = await linewatch.untouched();
  await endpoint(linewatch, { customers: [victim.customer.id] }, async ({ id: endpoint, secret: old }) => {
    const before = await arrives((await odd(linewatch, victim)).id);
    const { secret: next } = await linewatch.ask<Endpoint>(`/api/v1/endpoints/${endpoint}/secret`, 'POST');
    expect(next).not.toBe(old);
    expect(await judges.judge(before, next), 'nothing is signed with what did not exist yet').toEqual(FORGED);
    // A lane learns of it at once, but not before we do.
    await expect(async () => {
      const during = await arrives((await odd(linewatch, victim)).id);
      expect(await judges.judge(during, old)).toEqual(GOOD);
      expect(await judges.judge(during, next)).toEqual(GOOD);
    }).toPass({ timeout: 5_000 });
  });
});

test('a redelivery keeps the id, and is signed anew with its own time', async ({ linewatch }) => {
  const victim = await linewatch.untouched();
  await endpoint(linewatch, { customers: [victim.customer.id] }, async ({ secret }) => {
    // Only what is ours is refused, and only once.
    receiver.refuse = (taken) => (taken.body.includes('ümläut') && receiver.taken.filter((one) => one.body.equals(taken.body)).length === 1 ? 500 : undefined);
    const { id } = await odd(linewatch, victim);
    const first = await arrives(id);
    const delivery = () => linewatch.ask<Forwarded>(`/api/v1/deliveries/${first.headers['webhook-id']}`);
    await expect.poll(async () => (await delivery()).attempts.length, { message: 'the failure is written down' }).toBe(1);

    // Times are in whole seconds.
    await sleep(1_100);
    await linewatch.ask(`/api/v1/deliveries/${first.headers['webhook-id']}/retry`, 'POST');
    const second = await arrives(id, 2);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(Number(second.headers['webhook-timestamp'])).toBeGreaterThan(Number(first.headers['webhook-timestamp']));
    expect(second.headers['webhook-signature']).not.toBe(first.headers['webhook-signature']);
    expect(second.body.equals(first.body)).toBe(true);
    for (const taken of [first, second]) expect(await judges.judge(taken, secret)).toEqual(GOOD);
    await expect.poll(async () => (await delivery()).state).toBe('done');
    const { attempts } = await delivery();
    expect(attempts.map(({ trigger, outcome, status }) => [trigger, outcome, status])).toEqual([
      ['arrival', 'retry', 500],
      ['person', 'ok', 200],
    ]);
  });
});
