-- The processes of Linewatch that work on this database. Each says every ten seconds that it lives, and takes its row away
-- when it stops in order; one that fell silent is forgotten after an hour.
create table replica (
    id         uuid primary key,     -- new with every start
    name       text not null,        -- where it runs: host and process id
    role       text not null,        -- all | web | worker
    version    text not null,
    started_at timestamptz not null,
    seen_at    timestamptz not null
);
