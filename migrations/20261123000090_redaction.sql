-- Which fields of payloads were hidden, and since when. What was hidden when a webhook came stays hidden when the rules are loosened later.
-- A webhook needs no column for that: the moment it came says which rules held then, and costs the door nothing. One row for each change.
create table redaction (
    id     bigint generated always as identity primary key, -- the order of the changes
    since  timestamptz not null,                            -- never before that of the row before; the first holds for all before it too
    fields text[] not null                                  -- names of fields, in lower case
);

-- Kept by the database itself, so that processes of the version before, which may still run beside, keep it too.
create function redaction_kept() returns trigger language plpgsql as $$
declare
    hidden text[] := array(select jsonb_array_elements_text(new.value -> 'redacted_fields'));
begin
    if hidden is distinct from (select fields from redaction order by id desc limit 1) then
        insert into redaction (since, fields) values (greatest(new.updated_at, (select max(since) from redaction)), hidden);
    end if;
    return null;
end
$$;
create trigger redaction_kept after insert or update on setting
    for each row when (new.name = 'retention') execute function redaction_kept();

-- What is stored already is hidden by the rules of this moment: those that are set, or where nobody has set any, those that hold then.
insert into redaction (since, fields)
select 'epoch', coalesce(
    (select array(select jsonb_array_elements_text(value -> 'redacted_fields')) from setting where name = 'retention'),
    '{password,secret,token,access_token,refresh_token,authorization,api_key}');
