-- How upstream itself refused to tell of records; null where it did not, or where the refusal is not upstream's (no token of ours).
alter table record_ask
    add column refused_status integer, -- the HTTP status
    add column refused_code   text;    -- upstream's code

-- Errors that name the operation they refused are few among much evidence.
create index evidence_refused on evidence (connection_id, received_at desc) where facts ? 'refused';

-- What acknowledging or assigning many at once changed, so that it can be taken back.
create table bulk_issue (
    bulk_id      uuid not null references bulk (id) on delete cascade,
    issue_id     uuid not null references issue (id) on delete cascade,
    version      bigint not null,  -- of the issue, after the change; whoever changes it since has the last word
    state        text not null,    -- before it: model::IssueState
    assignee     text,
    snooze_until timestamptz,
    outage_id    uuid,             -- the outage it was folded into
    put_back     boolean,          -- null until it is taken back; false: it had been changed since, and was left
    primary key (bulk_id, issue_id)
);

alter table bulk
    add column undone_at timestamptz, -- when it was taken back
    add column undone_by text;        -- by whom
