-- A believable fleet, straight into the schema: connections `:from` + 1 to `:to`, a customer for every four of them, a tenth of them
-- at the second source. Nearly all are healthy. Everything follows from the number, so that it is the same every time.
create function pg_temp.dice(n bigint, which int) returns bigint language sql immutable as
$$ select hashint8extended(n, which) & 1073741823 $$;

-- like a UUIDv7: sorted by number
create function pg_temp.id(n bigint, which int) returns uuid language sql immutable as
$$ select (lpad(to_hex(1790000000000 + n), 12, '0') || '7000800' || which || lpad(to_hex(hashint8extended(n, which) & 281474976710655), 12, '0'))::uuid $$;

-- one of 8,000 first words
create function pg_temp.word(dice bigint) returns text language sql immutable as
$$ select initcap(s[1 + dice % 20] || s[1 + dice / 20 % 20] || s[1 + dice / 400 % 20])
   from (select array['an', 'bor', 'cel', 'dun', 'er', 'fal', 'gri', 'hol', 'is', 'kor', 'lam', 'mer', 'nor', 'or', 'pel', 'ros', 'sta', 'tor', 'val', 'wen'] as s) it $$;

insert into platform (slug, name) values
    ('sap', 'SAP'), ('netsuite', 'NetSuite'), ('dynamics-365', 'Dynamics 365'), ('maximo', 'Maximo'), ('infor-eam', 'Infor EAM'),
    ('epicor', 'Epicor'), ('ifs', 'IFS'), ('limble', 'Limble'), ('upkeep', 'UpKeep'), ('sage-500', 'Sage 500'), ('odoo', 'Odoo'), ('acumatica', 'Acumatica')
on conflict do nothing;

insert into customer (id, key, name, tags, created_at)
select pg_temp.id(n, 1), 'meta:' || n, pg_temp.word(pg_temp.dice(n, 11)) || ' ' ||
       (array['Foods', 'Pumps', 'Logistics', 'Steel', 'Pharma', 'Energy', 'Paper', 'Rail', 'Textiles', 'Marine', 'Mining', 'Dairy'])[1 + pg_temp.dice(n, 12) % 12],
       '{}', now() - interval '100 days'
from generate_series(:from / 4, :to / 4) n
on conflict do nothing;

insert into connection (
    id, source_id, key, name, email, customer_id, platform_slug, raw_status, upstream, authorization_, authorization_at,
    authorization_eye, authorization_cause, flow, flow_at, flow_eye, flow_cause, cadence_upstream,
    authorization_shown, data_flow, health, health_rank, cause, since, owner, tags, search, first_seen_at, updated_at)
select pg_temp.id(i, 2), c.source, c.key, c.customer, 'it@example.com', c.customer_id, p.slug, s.raw,
       jsonb_build_object('id', c.key, 'name', c.customer, 'email', 'it@example.com', 'status', s.raw, 'integration_name', p.name,
           'reauthorization_required', s.health = 'reauthorization_required', 'client_id', 'linewatch-demo', 'tags', to_jsonb(c.tags),
           'scopes', jsonb_build_array('assets', 'work_orders', 'purchase_orders', 'vendors'),
           'user_metadata', jsonb_build_object('customer_name', c.customer, 'customer_id', i / 4), 'created_at', now() - interval '100 days'),
       s.authorization_, now(), 'poll', s.authorization_cause, s.flow, now(), 'poll', s.flow_cause,
       86400,
       s.authorization_shown, s.data_flow, s.health, s.rank, s.cause, now() - make_interval(secs => pg_temp.dice(i, 22) % s.stands),
       case when pg_temp.dice(i, 23) % 10 < 7 then 'person' || pg_temp.dice(i, 23) % 30 end, c.tags,
       lower(concat_ws(' ', c.customer, p.name, c.key, array_to_string(c.tags, ' '))), now() - interval '100 days', now()
from (
    select i, lpad((9000000000000 + i)::text, 14, '0') as key, u.name as customer, u.id as customer_id, pg_temp.dice(i, 24) % 1000 as health_dice,
           pg_temp.dice(i, 25) % 12 as platform_dice,
           case when pg_temp.dice(i, 26) % 10 = 0 then (select id from source where name = 'second')
                else (select id from source where name = 'bench') end as source,
           array_remove(array[case when pg_temp.dice(i, 27) % 10 = 0 then 'vip' end,
               (array['emea', 'amer', 'apac'])[1 + pg_temp.dice(i, 28) % 3]], null) as tags
    from generate_series(:from + 1, :to) i join customer u on u.key = 'meta:' || i / 4
) c
join (select slug, name, row_number() over (order by slug) - 1 as n from platform) p on p.n = c.platform_dice
join (values
    (0, 4, 'reauthorization_required', 0::smallint, 'reauthorization_required', 'reauthorization_required', 'good', 'fresh', 'credentials_changed', 'credentials_changed', null, 'fail', 259200),
    (4, 8, 'offline', 1, 'authorized', 'authorized', 'offline', 'offline', 'platform_unreachable', null, 'platform_unreachable', 'offline', 14400),
    (8, 20, 'failing', 2, 'authorized', 'authorized', 'failing', 'failing', 'sync_error', null, 'sync_error', 'error', 86400),
    (20, 35, 'late', 3, 'authorized', 'authorized', 'good', 'late', 'late', null, null, 'active', 86400),
    (35, 40, 'unknown', 5, 'authorized', 'unknown', 'unknown', 'unknown', 'no_proof', null, null, 'active', 86400),
    (40, 55, 'first_sync', 6, 'authorized', 'authorized', 'first_sync', 'first_sync', 'reading_history', null, 'reading_history', 'synchronizing', 86400),
    (55, 60, 'paused', 7, 'authorized', 'authorized', 'paused', 'paused', 'no_credits', null, 'no_credits', 'inactive', 8640000),
    (60, 1000, 'healthy', 8, 'authorized', 'authorized', 'good', 'fresh', null, null, null, 'active', 8640000)
) s (low, high, health, rank, authorization_, authorization_shown, flow, data_flow, cause, authorization_cause, flow_cause, raw, stands)
    on c.health_dice >= s.low and c.health_dice < s.high;

insert into connection_proof (connection_id, proof_at, eye, recorded_at, last_good_sync_at)
select c.id, now(), 'poll', now(),
       now() - make_interval(secs => pg_temp.dice(i, 21) % 3600) - case when c.health = 'late' then interval '3 days' else interval '0' end
from generate_series(:from + 1, :to) i join connection c on c.id = pg_temp.id(i, 2);

insert into transition (id, connection_id, at, from_health, to_health, cause, eye, evidence_text, lasted_seconds)
select pg_temp.id(i, 3), c.id, c.since, 'healthy', c.health, c.cause, 'poll', 'as a list said', 864000
from generate_series(:from + 1, :to) i join connection c on c.id = pg_temp.id(i, 2)
where c.health <> 'healthy';
