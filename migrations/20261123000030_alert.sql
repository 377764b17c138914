-- What to alert on.
create table rule (
    id             uuid primary key,
    name           text not null unique,
    condition      jsonb not null,       -- model::When
    scope          jsonb not null,       -- model::Scope
    for_seconds    bigint not null,
    hold_seconds   bigint not null,
    severity       text not null,        -- model::Severity
    group_by       text not null,        -- model::GroupBy
    repeat_seconds bigint not null,      -- 0: never
    note           text,
    enabled        boolean not null,
    shipped        text unique,          -- the name under which it came with Linewatch
    removed_at     timestamptz,          -- taken away; its alerts stay to be seen
    version        bigint not null default 1,
    settled        bigint not null default 0, -- the version under which all its subjects were looked at; behind: to be done
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    updated_by     text not null
);
create table rule_change (
    rule_id  uuid not null references rule (id) on delete cascade,
    version  bigint not null,
    at       timestamptz not null,
    by_name  text not null,
    text     text not null,
    sentence text not null,              -- the rule after it
    primary key (rule_id, version)
);

-- Which connections changed since the rules last looked: written in the transaction that changes them, taken out by who
-- evaluates. So no change is lost and each is looked at soon after its commit.
create table alert_touch (
    n             bigint generated always as identity primary key,
    connection_id uuid not null,
    at            timestamptz not null,  -- when it changed
    health        text                   -- its health from then on; null: gone upstream
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- A rule that fires for a subject, or may. One row lives for each pair; one that is over stays as history.
create table alert (
    id              uuid primary key,
    rule_id         uuid not null references rule (id),
    subject_kind    text not null,       -- model::SubjectKind
    subject_id      text not null,
    subject_name    text not null,
    summary         text not null,
    state           text not null,       -- pending | firing | resolved
    since           timestamptz not null, -- since when the condition holds
    well_since      timestamptz,         -- since when it does no more, while it waits for the end of its hold
    fired_at        timestamptz,
    resolved_at     timestamptz,
    due_at          timestamptz,         -- when the clock alone may change it: the end of patience or of hold
    acknowledged_by text,
    acknowledged_at timestamptz,
    muted_by        text,                -- model::MutedBy
    tell_due_at     timestamptz,         -- it changed in a way that may have to be told: to be grouped and routed
    version         bigint not null default 1,
    updated_at      timestamptz not null
);
create unique index alert_live on alert (rule_id, subject_kind, subject_id) where state <> 'resolved';
create index alert_due on alert (due_at) where due_at is not null;
create index alert_tell on alert (tell_due_at) where tell_due_at is not null;
create index alert_newest on alert (since desc, id desc);
create index alert_now on alert (since desc, id desc) where state <> 'resolved';
create index alert_subject on alert (subject_id, since desc);

-- By what means people are told. Secrets are in the vault.
create table channel (
    id            uuid primary key,
    name          text not null unique,
    kind          text not null,         -- model::ChannelKind
    settings      jsonb not null,        -- model::ChannelSettings without secrets
    fallback_id   uuid references channel (id),
    enabled       boolean not null default true,
    failing_since timestamptz,
    last_sent_at  timestamptz,
    last_error    jsonb,                 -- model::AttemptError; null once a message went through
    free_at       timestamptz,           -- nothing is sent before: its rate, or a Retry-After
    removed_at    timestamptz,
    version       bigint not null default 1,
    created_at    timestamptz not null
);

-- Who is told; in order.
create table route (
    id                 uuid primary key,
    name               text not null,
    position           integer not null,
    matching           jsonb not null,   -- model::RouteMatch
    goes_on            boolean not null,
    channels           uuid[] not null,
    group_by           text,
    first_wait_seconds bigint not null,
    interval_seconds   bigint not null,
    repeat_seconds     bigint,
    version            bigint not null default 1,
    constraint route_position unique (position) deferrable initially deferred
);

-- Alerts that one route tells together. A row is also the work "tell it": its due time is the end of a wait, of an interval, or
-- the next reminder.
create table alert_group (
    id            uuid primary key,
    route_id      uuid not null,
    key           text not null,         -- what its alerts have in common
    alerts        uuid[] not null default '{}', -- those that are not over, and those that are and were not told so yet
    told          uuid[] not null default '{}', -- those that were firing when it was last told: the log against telling twice
    told_at       timestamptz,
    changed_at    timestamptz,           -- when it changed since it was last told; null: it has not
    due_at        timestamptz,
    lease_until   timestamptz,
    lease_token   uuid,
    version       bigint not null default 1,
    unique (route_id, key)
);
create index alert_group_due on alert_group (due_at) where due_at is not null;

-- One message to one channel.
create table notification (
    id           uuid primary key,
    group_id     uuid,                   -- null for a test
    channel_id   uuid not null references channel (id),
    alert_ids    uuid[] not null,
    reason       text not null,          -- model::NotificationReason
    subject      text not null,
    content      jsonb not null,         -- notify::Message: all that any channel renders
    thread       text,                   -- what belongs together: a firing and its recovery
    state        text not null,          -- pending | sending | sent | failed
    maybe_repeat boolean not null default false,
    instead_of   uuid,
    created_at   timestamptz not null,
    due_at       timestamptz,
    sent_at      timestamptz,
    failed_at    timestamptz,            -- when it first failed; null once it is sent
    attempt      integer not null default 0, -- failures in a row
    attempts     jsonb not null default '[]', -- model::Attempt, oldest first
    error_class  text,
    error_message text,
    lease_until  timestamptz,
    lease_token  uuid
);
create index notification_due on notification (channel_id, due_at) where due_at is not null;
create index notification_newest on notification (created_at desc, id desc);
create index notification_unwell on notification (failed_at desc, id desc) where failed_at is not null;
create index notification_alerts on notification using gin (alert_ids);

create table silence (
    id         uuid primary key,
    matching   jsonb not null,           -- model::SilenceMatch
    by_name    text not null,
    reason     text not null,
    starts_at  timestamptz not null,
    ends_at    timestamptz not null,
    told_at    timestamptz,              -- when its end was announced
    created_at timestamptz not null,
    check (ends_at > starts_at)
);
create index silence_end on silence (ends_at);
create table maintenance (
    id         uuid primary key,
    scope      jsonb not null,           -- model::Scope
    by_name    text not null,
    reason     text not null,
    starts_at  timestamptz not null,
    ends_at    timestamptz not null,
    recurrence jsonb,                    -- model::Recurrence; null: once
    created_at timestamptz not null,
    check (ends_at > starts_at)
);
create index maintenance_end on maintenance (ends_at);

-- Links in messages: single-purpose, short-lived. The token itself is not kept.
create table alert_link (
    token_hash bytea primary key,        -- SHA-256 of the 128 bits in its address
    group_id   uuid not null,
    purpose    text not null,            -- acknowledge | silence
    expires_at timestamptz not null,
    used_at    timestamptz,
    used_by    text
);
