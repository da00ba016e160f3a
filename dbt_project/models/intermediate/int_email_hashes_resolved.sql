-- A data provider names people by a hash of their address: as it comes, anybody can guess the address
-- back, so it too has become a pseudonym. The vault's addresses are hashed in the three usual ways.

with addresses as (
    select emails.customer_id, vault.value as email
    from {{ ref('stg_vault__identifiers') }} as vault
    inner join {{ ref('int_emails_resolved') }} as emails on vault.pseudonym = emails.email_key
    where vault.kind = 'email' and vault.field = 'email'
)

{% for algorithm in ['md5', 'sha1', 'sha256'] %}
select {{ pseudonym('email_hash', hex_digest(algorithm, 'email')) }} as email_hash_key, customer_id
from addresses
{{ 'union all' if not loop.last }}
{% endfor %}
