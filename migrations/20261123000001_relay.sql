-- URLs of the user's own applications, to which events are forwarded. Their secrets are in the vault.
create table endpoint (
    id              uuid primary key,
    name            text not null unique,
    url             text not null,
    filter          jsonb not null default '{}', -- model::EndpointFilter
    ordered         boolean not null default false,
    enabled         boolean not null default true,
    disabled_at     timestamptz,                 -- since when it is switched off: the clock of its schedules stands still
    concurrency     smallint not null default 10,
    rate_per_second integer,
    owner           text,
    removed_at      timestamptz,                 -- taken away; its deliveries stay to be seen
    version         bigint not null default 1,
    created_at      timestamptz not null,
    updated_at      timestamptz not null
);

-- One process at a time sends to an endpoint, so that order, concurrency, rate and circuit hold over all of them. Rewritten
-- often: narrow, and no index beside its key.
create table endpoint_lane (
    endpoint_id uuid primary key references endpoint (id) on delete cascade,
    lease_until timestamptz,
    lease_token uuid,
    failures    integer not null default 0,      -- in a row
    open_since  timestamptz,                     -- since when the circuit is open
    probe_at    timestamptz,                     -- when the next single delivery probes it
    told_at     timestamptz,                     -- when its owner was told of that
    last_ok_at  timestamptz,
    last_error  jsonb                            -- model::AttemptError of the newest delivery; null when it arrived
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- The work: send it. A row is here as long as there is something to do. It is made in the transaction that processes its event.
create table delivery_due (
    endpoint_id   uuid not null,
    due_at        timestamptz not null,
    delivery_id   uuid not null,         -- made of the event's received_at and of both ids: the same pair is never made twice
    received_at   timestamptz not null,  -- the event's
    event_id      uuid not null,
    connection_id uuid,
    kind          text,                  -- the event's
    begun_at      timestamptz not null,  -- when its schedule began: nothing is tried 24 h after it
    tries         integer not null default 0, -- recorded in delivery
    attempt       integer not null default 0, -- failed ones of this schedule
    trigger       text not null default 'arrival', -- model::AttemptTrigger of the next try
    by_name       text,                  -- who, when a person asked for it
    retry_id      uuid,                  -- the bulk retry that waits for its end
    lane_token    uuid,                  -- it is being sent under this lease of its endpoint's lane
    primary key (endpoint_id, due_at, delivery_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create unique index delivery_due_id on delivery_due (delivery_id);

-- What became of a delivery; written when its first attempt has ended.
create table delivery (
    id            uuid not null,
    received_at   timestamptz not null,  -- the event's
    event_id      uuid not null,
    endpoint_id   uuid not null,
    connection_id uuid,
    kind          text,
    state         text not null,         -- pending | done | failed; whether it waits or runs is seen by its row in delivery_due
    started_at    timestamptz not null,  -- of the newest attempt
    duration_ms   integer not null,      -- of the newest attempt
    status        smallint,              -- of the newest answer
    failed_at     timestamptz,           -- when it first failed; null once it is done
    error_class   text,                  -- of the newest attempt
    error_message text,
    tries         integer not null default 1,
    attempts      jsonb,                 -- model::Sent, oldest first; null: one, on arrival, that went well
    primary key (received_at, id)
) partition by range (received_at);
create index delivery_unwell on delivery (failed_at desc, id desc) where failed_at is not null;
create index delivery_unwell_endpoint on delivery (endpoint_id, failed_at desc, id desc) where failed_at is not null;
create index delivery_connection on delivery (connection_id, failed_at desc) where failed_at is not null;
