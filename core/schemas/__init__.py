"""Frozen value objects that every layer shares. Imports nothing of ours."""
