"""Dataset versions on disk: splits, the Parquet manifest and content-addressed tar shards. No Django here."""
