-- What is kept of the past so that a rule can be tried out on it.

-- Long pauses of a connection that are over: written when something came again. Short ones are not kept: a pause is when it
-- reached 4 hours, or one and a half of the connection's cadences.
create table lull (
    connection_id   uuid not null references connection (id) on delete cascade,
    kind            text not null,        -- sync: between two good syncs | sign: between two signs, a webhook or a good sync
    since           timestamptz,          -- when the newest came before it; null: nothing ever had
    ended_at        timestamptz not null, -- when we knew of a newer one
    cadence_seconds bigint                -- the connection's cadence meanwhile; null: none was known
);
create index lull_ended on lull (ended_at);
-- What evidence tells of the time before, with the cadence of now.
insert into lull (connection_id, kind, since, ended_at, cadence_seconds)
select connection_id, 'sync', before, received_at, coalesce(c.cadence_upstream, c.cadence_set, (
    select percentile_disc(0.8) within group (order by t)::bigint from connection_proof p, unnest(p.rhythm) t
    where p.connection_id = c.id and cardinality(p.rhythm) >= 5), s.cadence_seconds)
from (
    select connection_id, received_at, good, max(good) over (
        partition by connection_id order by received_at, id rows between unbounded preceding and 1 preceding) as before
    from (select id, connection_id, received_at, (facts ->> 'last_good_sync_at')::timestamptz as good from evidence
          where facts ->> 'last_good_sync_at' is not null) e) told
join connection c on c.id = told.connection_id join source s on s.id = c.source_id
where good > before and received_at - before >= interval '4 hours';

-- When connections turned bad: connection.flips holds the newest only.
create table flip (
    connection_id uuid not null references connection (id) on delete cascade,
    at            timestamptz not null
);
create index flip_at on flip (at);
insert into flip (connection_id, at)
select id, unnest(flips) from connection
union
select connection_id, at from transition
where to_health in ('reauthorization_required', 'offline', 'failing', 'late')
and from_health not in ('reauthorization_required', 'offline', 'failing', 'late');

-- When the first of an hour came: with the last, every pause that is longer than an hour is known.
alter table door_count add column first_at timestamptz;

-- What was tried more than once: that is found among what went well at once.
create index event_end_again on event_end (started_at) where attempts is not null;
create index delivery_again on delivery (started_at) where attempts is not null;

-- What is over for long enough is dropped, oldest first.
create index alert_over on alert (resolved_at) where state = 'resolved';
