-- Deliveries that keep the order of their connection: its oldest is found by the index, however many wait behind it. Only
-- rows of ordered endpoints are in it, so that others pay nothing.
alter table delivery_due add column in_order boolean not null default false; -- its endpoint is ordered, its connection known
create index delivery_due_order on delivery_due (endpoint_id, connection_id, received_at, event_id) where in_order;
