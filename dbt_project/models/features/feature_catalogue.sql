-- What the contract says of each column of customer_features, as rows. Written down in one place,
-- _features.yml, so that contract, catalogue and docs cannot come apart.
-- depends_on: {{ ref('customer_features') }}
{{ described_columns('customer_features') }}
