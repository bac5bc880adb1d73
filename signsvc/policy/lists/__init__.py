"""Retained lists (保留清单): what offices may certify, and how that changes."""
