-- How many connections there are, kept by the database itself, so that nobody counts a million rows to show a total.
-- Every connection that is not removed counts once under the tag '', and once under each of its tags.

create table connection_count (
    tag           text not null,   -- '' for all connections, whatever their tags
    source_id     uuid not null,
    platform_slug text not null,
    health        text not null,
    n             bigint not null,
    primary key (tag, source_id, platform_slug, health)
) with (fillfactor = 50);

-- What changed since it was last folded into connection_count. Only ever appended to, so that no writer waits for another;
-- who reads sums both tables in one statement.
create table connection_count_delta (
    tag           text not null,
    source_id     uuid not null,
    platform_slug text not null,
    health        text not null,
    n             bigint not null  -- how many more; fewer when negative
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- What left and what came cancel each other out where nothing that counts changed: then no row is written. Without a join
-- of the two, so that a plan made for a small batch does for a large one.
create function connection_counted() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into connection_count_delta (tag, source_id, platform_slug, health, n)
        select t.tag, c.source_id, c.platform_slug, c.health, sum(c.n)
        from (select source_id, platform_slug, health, tags, count(*) as n from came where removed_at is null group by 1, 2, 3, 4) c
        cross join lateral (select '' as tag union select unnest(c.tags)) t
        group by 1, 2, 3, 4;
    elsif tg_op = 'DELETE' then
        insert into connection_count_delta (tag, source_id, platform_slug, health, n)
        select t.tag, c.source_id, c.platform_slug, c.health, -sum(c.n)
        from (select source_id, platform_slug, health, tags, count(*) as n from gone where removed_at is null group by 1, 2, 3, 4) c
        cross join lateral (select '' as tag union select unnest(c.tags)) t
        group by 1, 2, 3, 4;
    else
        insert into connection_count_delta (tag, source_id, platform_slug, health, n)
        select t.tag, c.source_id, c.platform_slug, c.health, sum(c.n)
        from (
            select source_id, platform_slug, health, tags, sum(n) as n
            from (
                select source_id, platform_slug, health, tags, 1 as n from came where removed_at is null
                union all
                select source_id, platform_slug, health, tags, -1 from gone where removed_at is null
            ) both_ways
            group by 1, 2, 3, 4 having sum(n) <> 0
        ) c
        cross join lateral (select '' as tag union select unnest(c.tags)) t
        group by 1, 2, 3, 4 having sum(c.n) <> 0;
    end if;
    return null;
end
$$;

create trigger connection_counted_insert after insert on connection
    referencing new table as came for each statement execute function connection_counted();
create trigger connection_counted_delete after delete on connection
    referencing old table as gone for each statement execute function connection_counted();
create trigger connection_counted_update after update on connection
    referencing old table as gone new table as came for each statement execute function connection_counted();

-- What is there already. The triggers hold the table still until this is done.
insert into connection_count (tag, source_id, platform_slug, health, n)
select t.tag, c.source_id, c.platform_slug, c.health, sum(c.n)
from (select source_id, platform_slug, health, tags, count(*) as n from connection where removed_at is null group by 1, 2, 3, 4) c
cross join lateral (select '' as tag union select unnest(c.tags)) t
group by 1, 2, 3, 4;

-- Worst first under one filter: the order of the page behind each filter, so that a page is read and not sorted.
drop index connection_platform;
create index connection_platform on connection (platform_slug, health_rank, since, id) where removed_at is null;
drop index connection_customer;
create index connection_customer on connection (customer_id, health_rank, since, id) where removed_at is null;
create index connection_source on connection (source_id, health_rank, since, id) where removed_at is null;
-- served totals, which nobody counts by it any more
drop index connection_health;
-- Without a predicate, else Postgres does not join them with the indexes above: it takes the same predicate twice for
-- redundant.
drop index connection_search;
create index connection_search on connection using gin (search gin_trgm_ops);
drop index connection_tags;
create index connection_tags on connection using gin (tags);
