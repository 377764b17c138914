-- Who had a message tried again, and which retry of many it was; both until that try has ended. The error beside it stays the last.
alter table notification
    add column by_name  text,
    add column retry_id uuid,
    add column again_at timestamptz;     -- when it was let go by hand last: it has a day again from then on
update notification set by_name = error_message, again_at = due_at,
    error_class = attempts -> -1 -> 'error' ->> 'class', error_message = attempts -> -1 -> 'error' ->> 'message'
where error_class = 'by_hand';

-- Messages that failed, as the list of failures asks for them: neither tests nor what ends as a digest ends.
create index notification_failed on notification (failed_at desc, id desc)
where failed_at is not null and told_in is null and reason <> 'test';
