-- Everything that failed is asked for by time, by connection and by thing; each index holds only what failed.
create index event_end_failed_connection on event_end (connection_id, failed_at desc, id desc) where failed_at is not null;
create index rejection_at on rejection (received_at desc, id desc);

-- A try again is found by its event. What is tried for the first time is not in it, so the door does not pay for it.
create index event_due_again on event_due (event_id) where tries > 0;

alter table retry
    add column under_way bigint not null default 0; -- let go and not ended, as last told
-- What is let go and has not ended yet.
create index retry_item_under_way on retry_item (retry_id) where outcome is null and released_at is not null;
drop index retry_item_waiting;
create index retry_item_waiting on retry_item (retry_id, thing_id) where outcome is null and released_at is null;
