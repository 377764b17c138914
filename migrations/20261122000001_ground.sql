-- The ground floor: sources, connections and what is seen of them, received webhooks, people.
-- Every id is a UUIDv7 made by Linewatch. Every time is UTC. Codes are the words of the model crate.

create extension if not exists pg_trgm;

-- One Makini account that we watch. A row is also the work "list all of its connections": due_at, lease, attempt.
create table source (
    id                      uuid primary key,
    name                    text not null unique check (name ~ '^[a-z0-9-]{1,63}$'), -- ends the webhook door's address
    environment             text not null,             -- production | sandbox
    dialect                 text not null,             -- faq_v1 | openapi_2025
    base_url                text not null,             -- without a trailing slash
    client_id               text not null,
    token_ownership         text not null,             -- external | linewatch: may we issue connection tokens?
    enabled                 boolean not null default true,
    customer_key            text not null,             -- the key in a connection's metadata that names its customer
    poll_interval_seconds   bigint not null,
    rate_per_minute         bigint not null,           -- requests that we allow ourselves
    cadence_seconds         bigint,                    -- expected between syncs where nothing better is known
    late_factor             double precision not null, -- late after cadence * factor …
    late_grace_seconds      bigint not null,           -- … + grace
    proof_allowance_seconds bigint not null,           -- older proof proves nothing
    mappings                jsonb not null,            -- model::Mappings
    version                 bigint not null default 1, -- grows with every change by a person
    created_at              timestamptz not null,
    updated_at              timestamptz not null,
    -- the newest round of polling
    round_good_at           timestamptz,               -- when the last complete round began
    round_duration_ms       bigint,
    round_listed            bigint,
    round_error_class       text,                      -- why the newest round failed; null while rounds succeed
    round_error_message     text,
    round_failing_since     timestamptz,
    api_version             text,                      -- as answers name it
    skew_ms                 bigint,                    -- upstream's clock minus ours
    -- the work: list all connections
    due_at                  timestamptz not null,
    lease_until             timestamptz,
    lease_token             uuid,
    attempt                 integer not null default 0 -- rounds failed in a row
);
create index source_due on source (due_at) where enabled;

-- Secrets, sealed with the master key (XChaCha20-Poly1305; owner and kind are bound in as associated data).
create table vault_secret (
    id           uuid primary key,
    owner        uuid not null,      -- a source or a connection
    kind         text not null,      -- client_secret | webhook_secret | admin_token | connection_token
    sealed       bytea not null,     -- 24 bytes of nonce, then the ciphertext
    key_id       text not null,      -- which master key: the first 8 hex digits of its SHA-256
    hint         text not null,      -- the last four characters, to tell secrets apart
    created_at   timestamptz not null,
    expires_at   timestamptz,        -- tokens
    last_used_at timestamptz         -- webhook secrets: when a signature of it last came
);
create index vault_secret_owner on vault_secret (owner, kind);

create table platform (
    slug text primary key,           -- upstream's
    name text not null
);

create table customer (
    id         uuid primary key,
    key        text not null unique, -- 'meta:<value>' from the source's customer_key, else 'name:<connection name>'
    name       text not null,
    tier       text,
    tags       text[] not null default '{}',
    owner      text,
    contact    text,
    version    bigint not null default 1,
    created_at timestamptz not null
);

-- One customer's link to one platform. A row is also the work "look at this one": check_due_at, lease, attempt.
create table connection (
    id                uuid primary key,
    source_id         uuid not null references source (id),
    key               text not null,                -- upstream's identifier
    name              text not null,
    email             text,
    customer_id       uuid not null references customer (id),
    platform_slug     text not null references platform (slug),
    raw_status        text,                         -- letter for letter
    upstream          jsonb not null default '{}',  -- everything upstream last said of it
    upstream_error    text,                         -- its newest error in words, with the request id
    -- what is known: two dimensions, each with the time and eye of the evidence that last decided it
    authorization_    text not null,                -- what evidence says (model::Authorization)
    authorization_at  timestamptz not null,
    authorization_eye text not null,
    authorization_cause text,
    flow              text not null,                -- what evidence says: health::Flow, before lateness is weighed in
    flow_at           timestamptz not null,
    flow_eye          text not null,
    flow_cause        text,
    flow_detail       text,                         -- what upstream said of the cause
    event_at          timestamptz,                  -- own time of the newest event applied: orders events among themselves
    last_good_sync_at timestamptz,
    cadence_set       bigint,                       -- seconds; set by a person
    cadence_upstream  bigint,                       -- seconds; from upstream's next scheduled sync
    -- what follows from it, by health::judge
    authorization_shown text not null,
    data_flow         text not null,
    health            text not null,
    health_rank       smallint not null,            -- 0 is worst
    cause             text,                         -- null while healthy
    cause_detail      text,
    since             timestamptz not null,         -- since when the health stands
    judge_due_at      timestamptz,                  -- when the clock alone may change it; fading is found by a sweep
    -- ours
    owner             text,
    tags              text[] not null default '{}',
    note              text,
    search            text not null,                -- lower case: customer, platform, name, key, tags, request ids
    first_seen_at     timestamptz not null,
    removed_at        timestamptz,                  -- gone upstream; history kept
    absent_since      timestamptz,                  -- not in the newest complete list; a check decides
    version           bigint not null default 1,
    updated_at        timestamptz not null,
    -- the work: look at this one
    check_due_at      timestamptz,
    check_reason      text,                         -- changed | unwell | proof | conflict | absent | person
    lease_until       timestamptz,
    lease_token       uuid,
    attempt           integer not null default 0,
    unique (source_id, key)
);
create index connection_worst on connection (health_rank, since, id) where removed_at is null;
create index connection_customer on connection (customer_id, id) where removed_at is null;
create index connection_platform on connection (platform_slug, health_rank) where removed_at is null;
create index connection_last_good on connection ((coalesce(last_good_sync_at, '-infinity'::timestamptz)), id) where removed_at is null;
create index connection_since on connection (since, id) where removed_at is null;
create index connection_health on connection (health, source_id) where removed_at is null;
create index connection_search on connection using gin (search gin_trgm_ops) where removed_at is null;
create index connection_tags on connection using gin (tags) where removed_at is null;
create index connection_check_due on connection (check_due_at) where check_due_at is not null;
create index connection_judge_due on connection (judge_due_at) where judge_due_at is not null;

-- The newest proof of each connection's state: rewritten by every poll, so it is narrow, has no index beside its key,
-- and room on each page to be updated in place.
create table connection_proof (
    connection_id uuid primary key,
    proof_at      timestamptz not null,
    eye           text not null,
    recorded_at   timestamptz not null   -- when evidence was last appended for it
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Changes of health; append-only, few, kept. Carries a copy of what it rests on, so that it outlives its evidence.
create table transition (
    id            uuid primary key,
    connection_id uuid not null references connection (id),
    at            timestamptz not null,
    from_health   text,                -- null at first sight
    to_health     text,                -- null when removed upstream
    cause         text,
    cause_detail  text,
    eye           text,                -- null when the clock alone did it
    evidence_id   uuid,
    evidence_text text,
    lasted_seconds bigint              -- how long the health before had lasted
);
create index transition_connection on transition (connection_id, at desc, id desc);
create index transition_at on transition (at desc);

-- What was seen: on change, conflict, webhook and hand check, and once an hour for what stays as it is.
create table evidence (
    id            uuid not null,
    received_at   timestamptz not null,
    connection_id uuid not null,
    eye           text not null,       -- webhook | poll | check
    at            timestamptz not null, -- the time that counts
    applied       text not null,       -- changed | confirmed | older | conflict
    text          text not null,
    facts         jsonb not null,
    event_id      uuid,
    primary key (received_at, id)
) partition by range (received_at);
create index evidence_connection on evidence (connection_id, received_at desc, id desc);

-- De-duplication of webhooks. Not partitioned: its key must hold across days. Kept 35 days.
create table event_key (
    source_id   uuid not null,
    key_hash    bytea not null,        -- SHA-256 of the webhook's id, or of its bytes if it has a time but no id
    event_id    uuid not null,
    body_hash   bytea not null,        -- SHA-256 of the bytes: the same id with other bytes is a rejection
    received_at timestamptz not null,
    duplicates  integer not null default 0,
    primary key (source_id, key_hash)
);
create index event_key_age on event_key (received_at);

-- Webhooks as they came. Bodies are bytes: a \u0000 in a text would refuse a whole batch.
create table event (
    id           uuid not null,
    received_at  timestamptz not null,
    source_id    uuid not null,
    webhook_id   text,                 -- upstream's id
    occurred_at  timestamptz,          -- its own time, unclamped
    kind         text,                 -- as upstream names it; null until parsed
    connection_id uuid,
    key_hash     bytea,                -- its row in event_key; null if it can never be told from a repeat
    headers      jsonb not null,
    body         bytea not null,
    state        text not null,        -- pending | processed | failed | superseded | unrecognised
    attempts     jsonb not null default '[]', -- model::Attempt, oldest first
    -- the work: process it
    due_at       timestamptz,          -- null when nothing is to be done
    lease_until  timestamptz,
    lease_token  uuid,
    attempt      integer not null default 0,
    primary key (received_at, id)
) partition by range (received_at);
create index event_id on event (id);
create index event_due on event (due_at) where due_at is not null;
create index event_webhook on event (webhook_id) where webhook_id is not null;
create index event_connection on event (connection_id, received_at desc, id desc) where connection_id is not null;
create index event_unwell on event (state, received_at desc, id desc) where state in ('failed', 'unrecognised');

-- What came to the webhook door, counted by the hour: events taken, and requests turned away …
create table door_count (
    source_name text not null,
    outcome     text not null,         -- taken, or why a request was turned away: model::RejectionReason
    hour        timestamptz not null,  -- the hour it began
    n           bigint not null,
    last_at     timestamptz not null,
    primary key (source_name, outcome, hour)
);
-- … of which some are kept to look at, in a ring: at most 1,000 a source.
create table rejection (
    id          uuid primary key,
    source_name text not null,
    received_at timestamptz not null,
    reason      text not null,
    detail      text not null,
    headers     jsonb not null,
    excerpt     bytea not null         -- the first 1 kB
);
create index rejection_source on rejection (source_name, received_at desc);

create table person (
    id            uuid primary key,
    email         text not null unique check (email = lower(email)),
    name          text not null,
    role          text not null,       -- viewer | support | admin
    password_hash text not null,       -- Argon2id, PHC string
    created_at    timestamptz not null
);

create table session (
    token_hash   bytea primary key,    -- SHA-256 of the cookie: a stolen table opens nothing
    person_id    uuid not null references person (id) on delete cascade,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at   timestamptz not null
);
create index session_expiry on session (expires_at);

create table api_token (
    id           uuid primary key,
    name         text not null unique,
    token_hash   bytea not null unique,
    role         text not null,
    created_at   timestamptz not null,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- Failed sign-ins, by e-mail address and by network address: shared, so that more processes give no more tries.
create table sign_in_failure (
    subject       text primary key,    -- 'email:…' or 'addr:…'
    failures      integer not null,
    last_at       timestamptz not null,
    blocked_until timestamptz
);

create table audit (
    id           uuid primary key,
    at           timestamptz not null,
    actor_kind   text not null,        -- person | token
    actor_id     uuid not null,
    actor_name   text not null,
    action       text not null,        -- such as source.changed
    subject_kind text not null,
    subject_id   text not null,
    detail       jsonb not null default '{}' -- never a secret
);
create index audit_at on audit (at desc);
