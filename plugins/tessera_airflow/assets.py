"""The data sets that connect the DAGs."""

from __future__ import annotations

from airflow.sdk import Asset

RAW_CRM = Asset("tessera://raw/crm", group="raw")
RAW_CLICKSTREAM = Asset("tessera://raw/clickstream", group="raw")
RAW_SOCIAL = Asset("tessera://raw/social", group="raw")
FEATURES = Asset("tessera://features/customer_features", group="features")
SEGMENTS = Asset("tessera://published/segments", group="segments")
