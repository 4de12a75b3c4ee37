"""The only place that imports torch, transformers models, trl and peft; run by the worker's child process."""
