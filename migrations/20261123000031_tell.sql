-- How often a group was told since it last began: the first is told at once, the second after a few seconds, the rest by the
-- route's interval; and what its messages have in common, so that a firing and its recovery are one thread.
alter table alert_group add column messages integer not null default 0;
alter table alert_group add column episode uuid;
create index alert_group_alerts on alert_group using gin (alerts);

-- Messages that waited for a channel are told together in a later one, and end as it ends.
alter table notification add column told_in uuid;
create index notification_told_in on notification (told_in) where told_in is not null;
create unique index notification_instead on notification (instead_of) where instead_of is not null;
