"""TOML read strictly: every fault names its file, line and key."""
