"""What `run.py` does, with the standard library only: install, start, watch over and end the two processes."""
