-- Which version of its API an upstream speaks may change under us: since when it names the one it names, and the one before,
-- so that a change can be shown.

alter table source
    add column api_version_since  timestamptz, -- since when answers name api_version
    add column api_version_before text;        -- what they named until then; null while that never changed
