"""What each kind of job does: one file a kind, `KIND_job.py`, with `run(job, recorder) -> result`."""
