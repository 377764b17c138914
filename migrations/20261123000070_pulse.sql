-- How webhooks about a connection come, learned from when they did: what says that one is fed in real time, and that its usual
-- webhooks have stopped. Beside the proof, where each webhook is written down anyway.
alter table connection_proof
    add column heard_at    timestamptz,                       -- when the newest webhook about it reached us
    add column data_at     timestamptz,                       -- the time of the newest webhook about its data
    add column well_since  timestamptz,                       -- signed in and in good order since then; null: not, or since before we counted
    add column pulse_since timestamptz,                       -- when the newer half of the figures began; the older one covers 15 days
    add column pulse       integer[] not null default '{}',   -- both halves: webhooks, of them about data, n, then n times octave of the pause, pauses, their seconds
    add column real_time   boolean   not null default false;  -- as far as webhooks and syncs teach; a planned or set cadence goes before it
