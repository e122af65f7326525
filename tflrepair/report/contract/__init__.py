"""What ``--format json`` prints, as types: the JSON Schemas in docs/schemas are made of these."""
