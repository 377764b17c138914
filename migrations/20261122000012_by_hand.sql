-- What people do by hand with a connection is read back from the audit log: on its timeline, and so that nobody starts a sync
-- twice within half a minute.
create index audit_subject on audit (subject_kind, subject_id, at desc);

-- What upstream says that can be done with the records of a platform.
alter table platform
    add column abilities    jsonb,        -- makini::Described, each; null: upstream does not say
    add column described_at timestamptz;  -- when it was last asked; null: never

alter table bulk
    add column actor jsonb not null;      -- model::Actor: on whose behalf it works on

-- The list of customers, by name, and the search over it.
create index customer_name on customer (name, id);
create index customer_search on customer using gin (lower(name) gin_trgm_ops);

-- Nobody has two views of one name.
create unique index saved_view_name on saved_view (coalesce(person_id::text, by_name), lower(name));
