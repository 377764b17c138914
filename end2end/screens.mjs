// Every screen, for the tests that look at all of them and for screenshots.mjs. {…} stands for an id, see `address`.

export const screens = [
  { name: 'sign-in', path: '/login', alone: true },
  { name: 'sign-in-refused', path: '/login?next=%2F&error=wrong', alone: true },
  { name: 'overview', path: '/' },
  { name: 'connections', path: '/connections' },
  { name: 'connections-filtered', path: '/connections?health=reauthorization_required&health=offline&health=failing&sort=customer' },
  { name: 'connections-none', path: '/connections?q=no-such-customer' },
  { name: 'connections-refused', path: '/connections?health=fine&limit=0&colour=red', status: 422 },
  { name: 'connection', path: '/connections/{healthy}' },
  { name: 'connection-broken', path: '/connections/{broken}' },
  { name: 'connection-missing', path: '/connections/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'customers', path: '/customers' },
  { name: 'customer', path: '/customers/{customer}' },
  { name: 'customer-missing', path: '/customers/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'issues', path: '/issues' },
  { name: 'issues-all', path: '/issues?state=' },
  { name: 'issues-none', path: '/issues?assignee=nobody-of-this-name' },
  { name: 'issues-refused', path: '/issues?state=sleepy', status: 422 },
  { name: 'issue-missing', path: '/issues/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'bulk-new', path: '/bulk/new?kind=check&health=healthy' },
  { name: 'webhooks', path: '/webhooks' },
  { name: 'webhooks-by-cause', path: '/webhooks?group=cause' },
  { name: 'webhooks-none', path: '/webhooks?q=no-such-text-anywhere' },
  { name: 'webhooks-refused', path: '/webhooks?kind=fine&colour=red', status: 422 },
  { name: 'retry-new', path: '/webhooks/retries/new?kind=delivery' },
  { name: 'retry-missing', path: '/webhooks/retries/00000000-0000-7000-8000-000000000000', status: 404 },
  // those of good syncs come every second: no two looks are alike
  { name: 'events', path: '/webhooks/events?kind=connection.reauthorization_required' },
  { name: 'events-none', path: '/webhooks/events?webhook_id=no-such-id' },
  { name: 'event', path: '/webhooks/events/{event}' },
  { name: 'event-missing', path: '/webhooks/events/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'endpoints', path: '/webhooks/endpoints' },
  { name: 'endpoint-new', path: '/webhooks/endpoints/new' },
  { name: 'endpoint-missing', path: '/webhooks/endpoints/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'retention', path: '/settings/retention' },
  { name: 'makini-deliveries', path: '/settings/sources/{source}/deliveries' },
  { name: 'alerts', path: '/alerts' },
  { name: 'alerts-resolved', path: '/alerts?state=resolved' },
  { name: 'alerts-refused', path: '/alerts?state=loud', status: 422 },
  { name: 'rules', path: '/alerts/rules' },
  { name: 'rule', path: '/alerts/rules/{rule}' },
  { name: 'rule-new', path: '/alerts/rules/new' },
  { name: 'rule-missing', path: '/alerts/rules/00000000-0000-7000-8000-000000000000', status: 404 },
  { name: 'silences', path: '/alerts/silences' },
  { name: 'silence-new', path: '/alerts/silences/new?severity=info' },
  { name: 'maintenance-new', path: '/alerts/maintenance/new' },
  { name: 'routes', path: '/alerts/routes' },
  { name: 'route-new', path: '/alerts/routes/new' },
  { name: 'channels', path: '/alerts/channels' },
  { name: 'channel-new', path: '/alerts/channels/new' },
  { name: 'told', path: '/alerts/log' },
  { name: 'system', path: '/system' },
  { name: 'sources', path: '/settings' },
  { name: 'source', path: '/settings/sources/{source}' },
  { name: 'source-new', path: '/settings/sources/new' },
  { name: 'not-found', path: '/no-such-page', status: 404 },
];

/** The address of a screen; `ask` asks the API. */
export async function address(screen, ask) {
  const id = async (path) => (await ask(path)).items[0]?.id;
  const find = {
    healthy: () => id('/api/v1/connections?health=healthy&limit=1'),
    broken: async () => (await id('/api/v1/connections?health=reauthorization_required&limit=1')) ?? (await id('/api/v1/connections?limit=1')),
    customer: () => id('/api/v1/customers?limit=1'),
    source: () => id('/api/v1/sources'),
    event: () => id('/api/v1/events?limit=1'),
    rule: () => id('/api/v1/rules'),
  };
  const name = screen.path.match(/{(\w+)}/)?.[1];
  return name ? screen.path.replace(/{\w+}/, await find[name]()) : screen.path;
}
