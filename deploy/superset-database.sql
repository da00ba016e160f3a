-- Role and database of Superset's own metadata: dashboards, users, stored connections. As often as
-- one likes, by a superuser; SUPERSET_DB_PASSWORD comes from the environment.
\set QUIET on
\set ON_ERROR_STOP on
\getenv superset_password SUPERSET_DB_PASSWORD
-- The password is not for the server's log.
set log_statement = 'none';

select 'create role superset'
where not exists (select from pg_roles where rolname = 'superset') \gexec
alter role superset login nosuperuser nocreatedb nocreaterole noreplication password :'superset_password';

select 'create database superset owner superset'
where not exists (select from pg_database where datname = 'superset') \gexec
revoke all on database superset from public;
