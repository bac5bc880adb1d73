"""The screen: not-to-issue matters found in what people type, by name or by fact."""
