-- What moves with every good sync leaves the wide row of `connection` and its ten indexes: it is kept beside the proof, in the
-- narrow table that is updated in place. With it, what cadence and silence are learned from.
alter table connection_proof
    add column last_good_sync_at timestamptz,            -- when data last arrived
    add column event_at          timestamptz,            -- own time of the newest event applied: orders events among themselves
    add column rhythm            integer[] not null default '{}', -- seconds between the last good syncs, newest last, at most 24
    add column syncs             integer not null default 0,      -- how many such intervals were seen in all
    alter column proof_at drop not null,                 -- null: nothing has proved its state yet
    alter column eye drop not null,
    alter column recorded_at drop not null;
update connection_proof p set last_good_sync_at = c.last_good_sync_at, event_at = c.event_at
from connection c where c.id = p.connection_id;
insert into connection_proof (connection_id, last_good_sync_at, event_at)
select id, last_good_sync_at, event_at from connection
where last_good_sync_at is not null
on conflict do nothing;
drop index connection_last_good;
alter table connection
    drop column last_good_sync_at,
    drop column event_at,
    add column busy_since timestamptz,                   -- since when a sync has been seen under way; null when none is
    add column flips timestamptz[] not null default '{}', -- when it last turned bad, newest last, at most 8: flapping
    set (fillfactor = 85);

-- A problem as a thing: one per connection and cause, or one for an outage. It reopens and counts. A row is also the work
-- "look again at this time": the end of a snooze, or of a recovery hold-down.
create table issue (
    id            uuid primary key,
    number        bigint not null generated always as identity unique,
    connection_id uuid references connection (id),       -- null for an outage
    outage_id     uuid,                                  -- the outage that it is, or that it is folded into
    cause         text not null,
    cause_detail  text,                                  -- what upstream said
    state         text not null,                         -- model::IssueState
    assignee      text,
    opened_at     timestamptz not null,                  -- when it was last opened
    openings      timestamptz[] not null,                -- when it was opened, newest last, at most 32: recurrences
    resolved_at   timestamptz,
    snooze_until  timestamptz,
    well_since    timestamptz,                           -- its connection is well again since then; null while it is not
    due_at        timestamptz,                           -- when to look again: the end of a snooze or of a hold-down
    version       bigint not null default 1,
    updated_at    timestamptz not null,
    check ((connection_id is null) <= (outage_id is not null))
);
create unique index issue_one on issue (connection_id, cause) where connection_id is not null;
create unique index issue_of_outage on issue (outage_id) where connection_id is null;
create index issue_folded on issue (outage_id) where state = 'folded';
create index issue_live on issue (opened_at desc, id desc) where state <> 'resolved';
create index issue_all on issue (opened_at desc, id desc);
create index issue_due on issue (due_at) where due_at is not null;
create index issue_assignee on issue (assignee, opened_at desc) where state <> 'resolved' and assignee is not null;

-- The story of an issue; append-only.
create table issue_entry (
    id         uuid primary key,
    issue_id   uuid not null references issue (id),
    at         timestamptz not null,
    kind       text not null,            -- model::IssueEntryKind
    by_name    text,                     -- null: Linewatch by itself
    text       text not null,
    version    bigint not null           -- the issue's version after it
);
create index issue_entry_issue on issue_entry (issue_id, at desc, id desc);

-- Many connections that failed together, or our own sight: one thing above their issues.
create table outage (
    id           uuid primary key,
    kind         text not null,          -- platform | source | poller
    slug         text not null,          -- a platform's slug, a source's name, or 'poller'
    started_at   timestamptz not null,   -- when its first connection failed
    opened_at    timestamptz not null,   -- when we knew
    calm_since   timestamptz,            -- fewer are broken than make an outage, since then
    ended_at     timestamptz,
    affected     bigint not null,
    still_broken bigint not null,
    version      bigint not null default 1
);
create unique index outage_open on outage (kind, slug) where ended_at is null;
create index outage_newest on outage (started_at desc, id desc);
-- Which connections an outage has hit.
create table outage_connection (
    outage_id     uuid not null references outage (id),
    connection_id uuid not null references connection (id),
    primary key (outage_id, connection_id)
);

-- Something that must have happened but whose event never came.
create table gap (
    id            uuid primary key,
    connection_id uuid not null references connection (id),
    kind          text not null,         -- sync_completed | status_changed | reauthorization_required
    happened_at   timestamptz not null,  -- when it happened, as the poll tells it
    found_at      timestamptz not null,  -- when the poll told it
    due_at        timestamptz,           -- the end of its window; until then it is only expected; null when it is decided
    missed_at     timestamptz,           -- when the window ended without it; null: it is still expected, or it came
    came_at       timestamptz,           -- when its event came after all
    unique (connection_id, kind, happened_at)
);
create index gap_expected on gap (found_at) where due_at is not null;
create index gap_missed on gap (missed_at desc, id desc) where missed_at is not null;
create index gap_connection on gap (connection_id, missed_at desc) where missed_at is not null;

-- Links for customers to authorize again. The token itself is not kept.
create table reconnect_link (
    id            uuid primary key,
    connection_id uuid not null references connection (id),
    token_hash    bytea not null unique, -- SHA-256 of the 128 bits in its address
    state_hash    bytea unique,          -- SHA-256 of what binds the way back to it; set when it is opened
    made_by       text not null,
    made_at       timestamptz not null,
    expires_at    timestamptz not null,
    opened_at     timestamptz,
    done_at       timestamptz,
    proved_at     timestamptz,
    replaced_at   timestamptz,           -- a newer one took its place
    refusal       text,                  -- why what came back was refused
    refused_at    timestamptz            -- when that was
);
create index reconnect_link_connection on reconnect_link (connection_id, made_at desc);
create index reconnect_link_unproved on reconnect_link (connection_id) where proved_at is null;

alter table source
    add column redirect      text not null default 'theirs', -- ours | theirs: where Makini Link sends the customer back
    add column authorize_url text;       -- Makini Link's address, where it is not the usual one

-- Doing one thing with many connections; a row is also the work "do the next few".
create table bulk (
    id          uuid primary key,
    kind        text not null,           -- model::BulkKind
    wish        jsonb not null,          -- model::NewBulk as it was asked
    state       text not null,           -- running | paused | cancelled | done
    by_name     text not null,
    total       bigint not null,
    started_at  timestamptz not null,
    ended_at    timestamptz,
    due_at      timestamptz,
    lease_until timestamptz,
    lease_token uuid,
    version     bigint not null default 1
);
create index bulk_due on bulk (due_at) where due_at is not null;
create table bulk_item (
    bulk_id       uuid not null references bulk (id) on delete cascade,
    connection_id uuid not null references connection (id),
    outcome       text,                  -- null while it waits: done | failed | skipped
    message       text,
    ended_at      timestamptz,
    primary key (bulk_id, connection_id)
);
create index bulk_item_waiting on bulk_item (bulk_id) where outcome is null;

create table saved_view (
    id         uuid primary key,
    name       text not null,
    query      text not null,            -- as in the address of Connections, without '?'
    shared     boolean not null,
    person_id  uuid,                     -- who made it; null: a machine
    by_name    text not null,
    created_at timestamptz not null
);

alter table customer add column note text;
