"""Tunewell: fine-tune a language model in the browser."""
