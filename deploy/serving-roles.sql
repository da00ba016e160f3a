-- Roles and database of the serving server; may be run again at any time, and sets the passwords.
--   TESSERA_OPS_PASSWORD=… TESSERA_BI_PASSWORD=… psql -v ON_ERROR_STOP=1 -f deploy/serving-roles.sql
-- by a superuser, or with -v ops_password=… -v bi_password=… instead. tessera_ops owns the database
-- `tessera` and loads it; tessera_bi reads its schema `segments` and nothing else.
--
-- PostgreSQL lets everybody connect to every database. -v closed=a,b names those that only their
-- owners shall enter from now on; on a server with other people's databases give -v closed=''.
\set QUIET on
\set ON_ERROR_STOP on
\if :{?ops_password}
\else
    \getenv ops_password TESSERA_OPS_PASSWORD
\endif
\if :{?bi_password}
\else
    \getenv bi_password TESSERA_BI_PASSWORD
\endif
\if :{?closed}
\else
    \set closed airflow,superset,postgres,template1
\endif
set client_min_messages = warning;
-- The passwords are not for the server's log.
set log_statement = 'none';

select format('create role %I', name)
from unnest(array['tessera_ops', 'tessera_bi']) as wanted (name)
where not exists (select from pg_roles where rolname = name) \gexec
alter role tessera_ops login nosuperuser nocreatedb nocreaterole noreplication password :'ops_password';
alter role tessera_bi login nosuperuser nocreatedb nocreaterole noreplication password :'bi_password';
-- Who loads sees which reader holds the old tables.
grant tessera_bi to tessera_ops;

select 'create database tessera owner tessera_ops'
where not exists (select from pg_database where datname = 'tessera') \gexec
alter database tessera owner to tessera_ops;
revoke all on database tessera from public;
grant connect on database tessera to tessera_bi;
select format('revoke connect on database %I from public', datname)
from pg_database where datname = any (string_to_array(:'closed', ',')) \gexec

-- A forgotten transaction holds back the next tables: it ends after a minute.
alter role tessera_bi in database tessera set default_transaction_read_only = on;
alter role tessera_bi in database tessera set idle_in_transaction_session_timeout = '60s';
alter role tessera_bi in database tessera set statement_timeout = '60s';
alter role tessera_bi in database tessera set search_path = segments;

\connect tessera
set client_min_messages = warning;
revoke all on schema public from public;
