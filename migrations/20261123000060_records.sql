-- Webhooks about single records: which of them were lost. No poll of states can see that; it is found by asking for what changed.

-- What of a source is asked for. Nothing, unless somebody wants it.
alter table source
    add column record_entities    text[]  not null default '{}', -- such as eam/assets; empty: none is asked for
    add column record_minutes     integer not null default 15,   -- one connection is asked at most once in so many minutes
    add column record_connections integer not null default 50,   -- and at most so many connections in that time
    add column record_next_at     timestamptz;                   -- the next connection's turn; null: at once

-- What is asked of which connection, and when next.
create table record_ask (
    connection_id uuid not null references connection (id) on delete cascade,
    entity        text not null,        -- as in source.record_entities
    source_id     uuid not null references source (id),
    since         timestamptz not null, -- what changed before is not looked at: webhooks were not yet remembered
    asked_to      timestamptz not null, -- what changed until then has been read
    due_at        timestamptz not null, -- asked again from then on
    asked_at      timestamptz,          -- when it was last answered, with a refusal too
    refused       text,                 -- why upstream does not tell; null while it does
    lease_until   timestamptz,
    lease_token   uuid,
    primary key (connection_id, entity)
);
create index record_ask_due on record_ask (source_id, due_at);

-- When a webhook last told of a record. Only of what is asked for, and only as long as such a webhook may still be missed.
create table record_event (
    source_id uuid not null references source (id),
    entity    text not null,            -- as in webhooks: purchase_orders
    record_id text not null,
    last_at   timestamptz not null,     -- when it reached us
    primary key (source_id, entity, record_id)
);
create index record_event_old on record_event (last_at);

-- Of which kinds a webhook ever came. What never comes is not subscribed, and is not missed.
create table record_kind (
    source_id uuid not null references source (id),
    kind      text not null,            -- purchase_orders.updated, purchase_orders.created
    first_at  timestamptz not null,
    primary key (source_id, kind)
);

-- A gap may be of a record: its kind is then that of the webhook, such as assets.updated.
alter table gap add column record_id text;
alter table gap drop constraint gap_connection_id_kind_happened_at_key;
create unique index gap_once on gap (connection_id, kind, happened_at, coalesce(record_id, ''));
create index gap_record on gap (record_id) where record_id is not null and came_at is null;
