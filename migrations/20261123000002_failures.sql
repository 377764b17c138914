-- When an event first failed to be processed; null once it is. A retry that waits keeps it.
alter table event_end add column failed_at timestamptz;
update event_end set failed_at = started_at
where state = 'failed' or (state = 'pending' and attempts @> '[{"outcome": "retry"}]');
create index event_end_failed on event_end (failed_at desc, id desc) where failed_at is not null;

-- A person or a bulk retry may have asked for a try.
alter table event_due
    add column by_name  text,
    add column retry_id uuid;

-- Trying many again; a row is also the work "let the next few go".
create table retry (
    id          uuid primary key,
    wish        jsonb not null,          -- model::NewRetry as it was asked
    actor       jsonb not null,          -- model::Actor on whose behalf
    by_name     text not null,
    state       text not null,           -- model::BulkState
    rate        integer not null,        -- a second
    total       bigint not null,
    started_at  timestamptz not null,
    ended_at    timestamptz,
    due_at      timestamptz,
    lease_until timestamptz,
    lease_token uuid,
    version     bigint not null default 1
);
create index retry_due on retry (due_at) where due_at is not null;
create table retry_item (
    retry_id    uuid not null references retry (id) on delete cascade,
    thing_id    uuid not null,           -- of an event, a delivery or a notification
    kind        text not null,           -- model::FailureKind
    received_at timestamptz not null,    -- of its event, so that it is found in its partition; of a notification, when it was made
    released_at timestamptz,             -- when it was let go
    outcome     text,                    -- null while it waits or is under way: done | failed | skipped
    message     text,
    ended_at    timestamptz,
    primary key (retry_id, thing_id)
);
create index retry_item_waiting on retry_item (retry_id) where outcome is null and released_at is null;

-- What is set by people, such as how long things are kept; by name.
create table setting (
    name       text primary key,
    value      jsonb not null,
    version    bigint not null default 1,
    updated_at timestamptz not null,
    by_name    text not null
);
