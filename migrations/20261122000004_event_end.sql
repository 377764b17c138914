-- Webhooks are written once and never again: what came (event), what waits to be processed (event_due), what became of it
-- (event_end). Before, one wide row was written three times with every index of its. Measured, WAL for each event: 6.1 kB
-- before, 2.0 kB now.

create temporary table event_before as table event;
create temporary table event_key_before as table event_key;
drop table event, event_key;

-- De-duplication of webhooks. Not partitioned: its key must hold across days. Kept 35 days. The one index into which every
-- webhook falls at random, so it is as narrow as can be.
create table event_key (
    key_hash    uuid primary key,      -- 128 bits of SHA-256: over the source's id, then the SHA-256 of the webhook's id, or
                                       -- of its bytes if it has a time but no id
    event_id    uuid not null,
    body_hash   uuid not null,         -- 128 bits of the SHA-256 of the bytes: the same id with other bytes is a rejection
    received_at timestamptz not null,  -- that of the event, so that it is found in its partition
    duplicates  integer not null default 0
);
create index event_key_age on event_key (received_at);

-- Webhooks as they came. Bodies are bytes: a \u0000 in a text would refuse a whole batch.
create table event (
    id           uuid not null,        -- made of received_at, so that it leads to its partition
    received_at  timestamptz not null,
    source_id    uuid not null,
    occurred_at  timestamptz,          -- its own time, unclamped
    key_hash     uuid,                 -- its row in event_key; null if it can never be told from a repeat
    webhook_id   text,                 -- upstream's id
    headers      text not null,        -- a JSON list of pairs
    body         bytea not null,
    primary key (received_at, id)
) partition by range (received_at);
-- Whoever looks for an id finds it by its key; this is for ids whose keys are gone, and costs hardly anything to keep.
create index event_webhook on event using brin (webhook_id text_bloom_ops (n_distinct_per_range = 1200))
    with (pages_per_range = 128, autosummarize = on);

-- The work: process it. A row is here as long as there is something to do, so the table stays small.
create table event_due (
    due_at       timestamptz not null,
    event_id     uuid not null,
    received_at  timestamptz not null, -- the event's
    tries        integer not null default 0, -- recorded in event_end
    attempt      integer not null default 0, -- failures in a row, with those that ended the process
    lease_until  timestamptz,          -- only of what is worked on with care, one by one: see webhook/process.rs
    lease_token  uuid,
    primary key (due_at, event_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- What became of an event; none: it still waits for its first try.
create table event_end (
    id            uuid not null,
    received_at   timestamptz not null, -- the event's
    started_at    timestamptz not null, -- of the newest try
    connection_id uuid,
    duration_ms   integer not null,     -- of the newest try
    state         text not null,        -- pending | processed | failed | superseded | unrecognised
    kind          text,                 -- as upstream names it
    attempts      jsonb,                -- model::Attempt, oldest first; null: one, on arrival, that went well
    primary key (received_at, id)
) partition by range (received_at);
create index event_end_connection on event_end (connection_id, received_at desc, id desc) where connection_id is not null;
create index event_end_unwell on event_end (state, received_at desc, id desc) where state in ('failed', 'unrecognised');

-- Found by its connection; nobody looks for a piece of evidence by itself.
alter table evidence drop constraint evidence_pkey;

-- What is there stays: its days, its keys, its events with their ends.
do $$
declare day date;
begin
    for day in select distinct (received_at at time zone 'UTC')::date from event_before loop
        execute format('create table event_%1$s partition of event for values from (%2$L) to (%3$L)',
                       to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
        execute format('create table event_end_%1$s partition of event_end for values from (%2$L) to (%3$L)',
                       to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
    end loop;
end $$;
create function pg_temp.key_of(source uuid, hash bytea) returns uuid language sql immutable as $$
    select encode(substr(sha256(uuid_send(source) || hash), 1, 16), 'hex')::uuid
$$;
insert into event_key (key_hash, event_id, body_hash, received_at, duplicates)
select pg_temp.key_of(source_id, key_hash), event_id, encode(substr(body_hash, 1, 16), 'hex')::uuid, received_at, duplicates
from event_key_before;
insert into event (id, received_at, source_id, occurred_at, key_hash, webhook_id, headers, body)
select id, received_at, source_id, occurred_at, pg_temp.key_of(source_id, key_hash), webhook_id, headers::text, body
from event_before;
insert into event_due (due_at, event_id, received_at, tries, attempt)
select due_at, id, received_at, jsonb_array_length(attempts), attempt from event_before where due_at is not null;
insert into event_end (id, received_at, started_at, connection_id, duration_ms, state, kind, attempts)
select id, received_at, coalesce((attempts -> -1 ->> 'started_at')::timestamptz, received_at), connection_id,
       coalesce((attempts -> -1 ->> 'duration_ms')::integer, 0), state, kind, attempts
from event_before where state <> 'pending' or attempts <> '[]';
drop table event_before, event_key_before;
