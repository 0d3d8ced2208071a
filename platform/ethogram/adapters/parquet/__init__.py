"""Plain Parquet files in folders, outside the lake."""
