// What alerts send, judged by programs of other people's: a mail server and a reader of mails, the Standard Webhooks libraries,
// Slack's own types and client. A Linewatch of their own, which trusts a company's own certificates.

import { IncomingWebhook, type IncomingWebhookSendArguments } from '@slack/webhook';
import { Authority } from './certificates';
import { Demo } from './demo';
import { FORGED, GOOD, Judges } from './judges';
import { expect, Linewatch, test, type Connection } from './linewatch';
import { MailServer, type Mail } from './mail_server';
import { Receiver, type Taken } from './receiver';
import { excesses, misfits } from './slack';

interface Channel { id: string; secret?: string; health: string }
interface Attempt { trigger: string; outcome: string; status: number | null; error: { class: string; message: string } | null }
interface Notification { id: string; reason: string; state: string; attempts: Attempt[] }

let demo: Demo;
let lw: Linewatch;
let company: Authority;
let mail: MailServer;
let receiver: Receiver;
let judges: Judges;
let ops: Channel;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(240_000);
  judges = new Judges();
  company = new Authority('A company of our own');
  mail = await MailServer.listen(company.sign());
  receiver = await Receiver.listen();
  receiver.status = 200;
  const settings = { SSL_CERT_FILE: company.file, LINEWATCH_MAIL_URL: mail.url, LINEWATCH_MAIL_FROM: 'Linewatch <linewatch@company.example>' };
  demo = await Demo.startWith(settings, 'linewatch-references', '--connections', '90', '--seed', '5');
  lw = new Linewatch(demo.ready);
  await lw.calm();
  // Only what these tests say is told.
  for (const rule of await list<{ id: string }>('/api/v1/rules')) await lw.ask(`/api/v1/rules/${rule.id}`, 'PATCH', { enabled: false });
  ops = await add('Ops team', 'email', { to: ['Ops <ops@company.example>', 'ines@company.example'] });
});

test.afterAll(async () => {
  await demo?.stop();
  await mail?.close();
  await receiver?.close();
  await judges?.close();
  company?.forget();
});

const list = async <T>(path: string) => (await lw.ask<{ items: T[] }>(path)).items;
const sample = (channel: Channel) => lw.ask<Notification>(`/api/v1/channels/${channel.id}/test`, 'POST');

/** A channel, without the route to everything that the first one gets. */
async function add(name: string, kind: string, settings: object): Promise<Channel> {
  const made = await lw.ask<Channel>('/api/v1/channels', 'POST', { name, kind, settings });
  const routes = await list<{ id: string; name: string }>('/api/v1/routes');
  for (const { id } of routes.filter(({ name }) => name === 'Everything')) await lw.ask(`/api/v1/routes/${id}`, 'DELETE');
  return made;
}

/** A rule about these customers, told by this channel. */
async function told(name: string, victims: Connection[], channel: Channel, more: object = {}, wait = 0): Promise<void> {
  const rule = await lw.ask<{ id: string }>('/api/v1/rules', 'POST', {
    name,
    when: { kind: 'connection_health', health: ['reauthorization_required'] },
    scope: { customers: victims.map((victim) => victim.customer.id) },
    severity: 'critical',
    hold_seconds: 0,
    ...more,
  });
  await lw.ask('/api/v1/routes', 'POST', { name, match: { rule_ids: [rule.id] }, channels: [channel.id], first_wait_seconds: wait });
}

const header = (mail: Mail, name: string) => mail.read.headers.find(({ key }) => key === name)?.value;

/** The last mail, when there are so many. */
async function arrives(many: number, timeout = 30_000): Promise<Mail> {
  await expect.poll(() => mail.mails.length, { message: `${many} mails by now`, timeout }).toBe(many);
  return mail.mails[many - 1];
}

test.describe('e-mail', () => {
  test('goes out over TLS by somebody who signed in, as text and HTML that say the same', async () => {
    expect(await mail.inTheOpen('EHLO test', 'MAIL FROM:<linewatch@company.example>'), 'this server takes nothing in the open').toMatch(/^530 /);
    expect(await mail.inTheOpen('EHLO test', 'AUTH PLAIN AGEAYg=='), 'no password either').toMatch(/^538 /);

    const sent = await sample(ops);
    expect(sent.attempts.map(({ outcome, error }) => [outcome, error])).toEqual([['ok', null]]);
    const one = await arrives(1);
    expect([one.secure, one.user]).toEqual([true, MailServer.USER]);
    expect(one.to).toEqual(['ops@company.example', 'ines@company.example']);
    expect(one.read.from).toMatchObject({ name: 'Linewatch', address: 'linewatch@company.example' });
    expect(one.read.to?.map(({ name, address }) => [name, address])).toEqual([['Ops', 'ops@company.example'], ['', 'ines@company.example']]);
    expect(one.read.subject, 'it stands alone').toBe('[Test] 2 connections must sign in again: Example Inc SAP, Sample & Sons NetSuite');
    expect(header(one, 'content-type')).toMatch(/^multipart\/alternative;/);
    expect(one.raw.indexOf('text/plain'), 'the plainest first').toBeLessThan(one.raw.indexOf('text/html'));
    for (const body of [one.read.text!, words(one.read.html!)]) {
      for (const said of ['Example Inc SAP', 'Sample & Sons NetSuite', 'Since', `${demo.ready.url}/alerts`, '“Ops team”']) expect(body).toContain(said);
    }
    expect(one.read.attachments).toEqual([]);
    expect(header(one, 'list-id')).toMatch(/^Ops team <[0-9a-f-]{36}\.[\w.-]+>$/);
    expect([header(one, 'auto-submitted'), header(one, 'precedence')]).toEqual(['auto-generated', 'list']);
    expect(Math.abs(Date.parse(one.read.date!) - Date.now()), 'a date that is one').toBeLessThan(60_000);
    expect(one.raw.split('\r\n').every((line) => line.length <= 998 && !line.includes('\n')), 'lines as SMTP wants them').toBe(true);
  });

  test('what goes wrong is said in the server’s own words', async () => {
    const before = mail.mails.length;
    const failed = async () => {
      const { state, attempts } = await sample(ops);
      expect([state, attempts.length, attempts[0].outcome]).toEqual(['failed', 1, 'failed']);
      expect(attempts[0].error!.message, 'no password in it').not.toContain('p@ss');
      return attempts[0].error!;
    };
    const right = mail.password;
    mail.password = 'changed yesterday';
    expect(await failed()).toEqual({ class: 'sign_in', message: expect.stringMatching(/535.*Invalid username or password/) });
    expect(await lw.ask<Channel>(`/api/v1/channels/${ops.id}`)).toMatchObject({ health: 'failing' });
    mail.password = right;

    mail.offersTls(false);
    expect((await failed()).message, 'a server without STARTTLS').toMatch(/STARTTLS is not supported/i);
    mail.offersTls(true);

    const stranger = new Authority('Somebody else');
    mail.show(stranger.sign());
    expect(await failed(), 'a certificate that nobody here trusts').toEqual({ class: 'tls', message: expect.stringMatching(/certificate.*SSL_CERT_FILE/) });
    mail.show(company.sign());
    stranger.forget();

    mail.refusals.push({ code: 550, words: 'Mailbox unavailable' });
    expect((await failed()).message).toMatch(/550.*Mailbox unavailable/);
    expect([mail.mails.length, mail.open], 'nothing else came, and nothing in the open').toEqual([before + 1, []]);
    expect(await sample(ops)).toMatchObject({ state: 'sent' });
    expect(await lw.ask<Channel>(`/api/v1/channels/${ops.id}`)).toMatchObject({ health: 'healthy' });
  });

  test('a firing and its recovery are one thread; “later” is tried again, “never” waits for a person', async () => {
    const victim = await lw.untouched();
    const name = `${victim.customer.name} ${victim.platform.name}`;
    await told('By mail', [victim], ops);
    const log = async (reason: string) => (await list<Notification>(`/api/v1/notifications?channel=${ops.id}`)).filter((one) => one.reason === reason);
    const before = mail.mails.length;

    mail.refusals.push({ code: 451, words: 'Greylisted, come again' });
    await lw.act(victim, 'change_credentials');
    const deferred = await arrives(before + 1);
    const first = await arrives(before + 2);
    expect(first.read.messageId, 'the same message').toBe(deferred.read.messageId);
    expect(first.read.subject).toBe(`[Critical] ${name} must sign in again`);
    for (const body of [first.read.text!, words(first.read.html!)]) {
      for (const said of [name, `${demo.ready.url}/connections/${victim.id}`, `${demo.ready.url}/a/`, 'Next']) expect(body).toContain(said);
    }
    await expect.poll(async () => (await log('first')).map(({ state }) => state)).toEqual(['sent']);
    const [firing] = await log('first');
    expect(firing.attempts.map(({ trigger, outcome }) => [trigger, outcome])).toEqual([['arrival', 'retry'], ['schedule', 'ok']]);
    expect(firing.attempts[0].error!.message).toMatch(/451.*Greylisted, come again/);

    mail.refusals.push({ code: 554, words: 'Looks like spam' });
    await lw.act(victim, 'reconnect');
    const refused = await arrives(before + 3);
    await expect.poll(async () => (await log('resolved')).map(({ state }) => state)).toEqual(['failed']);
    const [over] = await log('resolved');
    expect(over.attempts.map(({ outcome }) => outcome)).toEqual(['failed']);
    expect(over.attempts[0].error!.message).toMatch(/554.*Looks like spam/);
    const dead = await list<Notification>(`/api/v1/notifications?state=failed&channel=${ops.id}`);
    expect(dead.filter(({ reason }) => reason !== 'test').map(({ id }) => id), 'it rests where people look').toEqual([over.id]);

    await lw.ask(`/api/v1/notifications/${over.id}/retry`, 'POST');
    const last = await arrives(before + 4);
    expect(last.read.messageId).toBe(refused.read.messageId);
    expect(last.read.messageId).not.toBe(first.read.messageId);
    expect(last.read.subject).toBe(`[Over] ${name} is well`);
    expect([last.read.inReplyTo, last.read.references], 'mail programs show them together').toEqual([first.read.messageId, first.read.messageId]);
    expect([first.read.inReplyTo, first.read.references], 'the first answers nobody').toEqual([undefined, undefined]);
    expect(header(last, 'list-id')).toBe(header(first, 'list-id'));
    await expect.poll(async () => (await log('resolved')).map(({ state }) => state)).toEqual(['sent']);
    const [, byHand] = (await log('resolved'))[0].attempts;
    expect([byHand.trigger, byHand.outcome]).toEqual(['person', 'ok']);
    expect(mail.mails.every(({ secure, user }) => secure && user === MailServer.USER)).toBe(true);
  });
});

test('a webhook channel’s messages verify by both libraries, at the second try too', async () => {
  const channel = await add('Their pager', 'webhook', { url: receiver.url });
  const mine = () => receiver.taken.filter((taken) => taken.path === '/hooks');
  expect(await sample(channel)).toMatchObject({ state: 'sent' });
  const victim = await lw.untouched();
  await told('By webhook', [victim], channel);
  receiver.refuse = () => (mine().length === 2 ? 503 : undefined);
  await lw.act(victim, 'change_credentials');
  await expect.poll(() => mine().length, { timeout: 20_000 }).toBe(3);

  const [test, first, again] = mine();
  for (const taken of [test, first, again]) {
    expect(await judges.judge(taken, channel.secret!), taken.body.toString()).toEqual(GOOD);
    const spoilt: Taken = { ...taken, body: Buffer.from(taken.body.toString().replace('critical', 'harmless')) };
    expect(await judges.judge(spoilt, channel.secret!)).toEqual(FORGED);
    expect(await judges.judge(taken, `whsec_${Buffer.alloc(32, 7).toString('base64')}`)).toEqual(FORGED);
  }
  expect(again.headers['webhook-id']).toBe(first.headers['webhook-id']);
  expect(Number(again.headers['webhook-timestamp'])).toBeGreaterThan(Number(first.headers['webhook-timestamp']));
  expect(JSON.parse(first.body.toString())).toMatchObject({ type: 'linewatch.notification', data: { reason: 'first', severity: 'critical' } });
});

test('a receiver’s certificate counts if the company’s own authority has signed it', async () => {
  const stranger = new Authority('Somebody else');
  for (const [name, authority, state] of [['Ours', company, 'sent'], ['Theirs', stranger, 'failed']] as const) {
    const secured = await Receiver.listen(authority.sign());
    secured.status = 200;
    const tried = await sample(await add(name, 'webhook', { url: secured.url }));
    await secured.close();
    expect([tried.state, secured.taken.length], name).toEqual([state, state === 'sent' ? 1 : 0]);
    if (state === 'failed') expect(tried.attempts[0].error!.message).toMatch(/certificate|UnknownIssuer/i);
  }
  stranger.forget();
});

test('Slack’s own types, limits and client agree with what a Slack channel sends', async () => {
  const secret = '/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';
  const channel = await add('Slack', 'slack', { webhook_url: receiver.url.replace('/hooks', secret) });
  const mine = () => receiver.taken.filter((taken) => taken.path === secret);
  expect(await sample(channel)).toMatchObject({ state: 'sent' });

  // As much at once as one message may hold, with all that Slack must not take for markup.
  const { items } = await lw.connections('limit=200');
  const healthy = items.filter(({ health }) => health === 'healthy');
  const platforms = [...new Set(healthy.map(({ platform }) => platform.slug))];
  const many = platforms.flatMap((slug) => healthy.filter(({ platform }) => platform.slug === slug).slice(0, 2)).slice(0, 18);
  expect(many.length).toBeGreaterThan(15);
  await told('By Slack', many, channel, { note: `${'Call <@here> & *ask* '.repeat(90)}` }, 4);
  for (const victim of many) await lw.act(victim, 'change_credentials');
  await expect.poll(() => mine().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);

  const sent = mine().map(({ body }) => JSON.parse(body.toString()) as IncomingWebhookSendArguments & { blocks: any[] });
  const large = sent[1];
  expect(large.blocks.filter(({ type }) => type === 'section').length, 'a large one').toBeGreaterThan(10);
  expect(JSON.stringify(large)).toContain('Call &lt;@here&gt; &amp; *ask*');
  expect(sent.flatMap(excesses)).toEqual([]);
  const mistyped = structuredClone(large);
  mistyped.blocks[0].text.type = 'mrkdwn';
  const [ofMistyped, ofUnknown, ...ofOurs] = await misfits([mistyped, { ...sent[0], colour: 'red' }, ...sent]);
  expect(ofOurs).toEqual(sent.map(() => ''));
  expect([ofMistyped, ofUnknown], 'the judges do judge').toEqual([expect.stringContaining('"mrkdwn"'), expect.stringContaining('colour')]);
  expect(excesses({ ...sent[0], blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] })).toHaveLength(1);
  expect(large.blocks.at(-1).elements.map((button: any) => button.text.text)).toEqual(['Acknowledge', 'Silence', 'Open']);

  // Slack’s client sends the very same.
  for (const message of sent) {
    const before = mine().length;
    await new IncomingWebhook(receiver.url.replace('/hooks', secret)).send(message);
    const theirs = mine()[before];
    expect(JSON.parse(theirs.body.toString())).toEqual(message);
    expect(theirs.headers['content-type']).toContain(mine()[0].headers['content-type'].split(';')[0]);
  }
});

/** What HTML says, with the addresses of its links. */
function words(html: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': '’' };
  return html.replace(/<a href="([^"]*)"[^>]*>/g, ' $1 ').replace(/<[^>]*>/g, ' ').replace(/&([#\w]+);/g, (whole, name) => entities[name] ?? whole);
}
